// swift-tools-version: 6.0
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

/// One direction of dependency: each target may import only those listed above it.
/// `docs/architecture.md` draws the same picture; change both in one commit.
let package = Package(
    name: "mlflow-backup",
    products: [
        .executable(name: "mlflow-backup", targets: ["mlflow-backup"])
    ],
    targets: [
        // C libraries from Debian. One Swift target alone imports each of them.
        .systemLibrary(name: "CISAL", path: "Sources/CShims/CISAL"),
        .systemLibrary(name: "CPostgres", path: "Sources/CShims/CPostgres", pkgConfig: "libpq"),
        .systemLibrary(name: "CMicroHTTPD", path: "Sources/CShims/CMicroHTTPD"),
        .systemLibrary(name: "CSQLite", path: "Sources/CShims/CSQLite"),
        .systemLibrary(name: "CCurl", path: "Sources/CShims/CCurl"),
        .systemLibrary(name: "CCrypto", path: "Sources/CShims/CCrypto"),
        .target(name: "CLinux", path: "Sources/CShims/CLinux"),
        // Not of C but by it: the files that the API serves, which `#embed` puts into the program.
        .target(
            name: "CDocuments", path: "Sources/CShims/CDocuments", exclude: ["documents"]),

        // Engines: they know nothing of the API.
        .target(name: "Wording"),
        .target(name: "SystemIO", dependencies: ["CLinux", "Wording"]),
        .target(name: "Crypto", dependencies: ["SystemIO", "CCrypto"]),
        .target(name: "Archive", dependencies: ["Crypto", "SystemIO", "Wording", "CISAL"]),
        .target(name: "Postgres", dependencies: ["SystemIO", "Wording", "CPostgres"]),
        .target(name: "SQLite", dependencies: ["SystemIO", "Wording", "CSQLite"]),
        .target(name: "MLflowStore", dependencies: ["Crypto", "Postgres", "SQLite", "SystemIO", "Wording"]),
        .target(name: "Curl", dependencies: ["CCurl"]),
        .target(name: "ObjectStore", dependencies: ["Crypto", "Curl", "SystemIO", "Wording"]),
        .target(
            name: "Backup",
            dependencies: [
                "Archive", "Crypto", "MLflowStore", "ObjectStore", "Postgres", "SQLite", "SystemIO", "Wording",
            ]),

        // The service around the engines.
        .target(
            name: "Service",
            dependencies: [
                "Backup", "Archive", "Crypto", "Curl", "MLflowStore", "ObjectStore", "Postgres", "SQLite", "SystemIO",
                "Wording",
            ]),
        .target(name: "HTTPServer", dependencies: ["SystemIO", "CMicroHTTPD", "CLinux"]),
        .target(
            name: "API",
            dependencies: [
                "HTTPServer", "Service", "Backup", "Archive", "Crypto", "Postgres", "SystemIO", "Wording", "CDocuments",
            ]),
        .executableTarget(
            name: "mlflow-backup",
            dependencies: [
                "API", "Service", "Backup", "Archive", "Crypto", "HTTPServer", "Postgres", "SystemIO", "Wording",
            ]
        ),

        // The archive engine alone, for benchmarks.
        .executableTarget(
            name: "archive-bench", dependencies: ["Archive", "SystemIO", "Wording"], path: "benchmarks/archive-bench"),

        // Tests: real PostgreSQL, real MLflow, real tar.
        .target(
            name: "TestSupport", dependencies: ["SystemIO", "Postgres"], path: "Tests/TestSupport",
            exclude: ["faulty_proxy.py", "moto_server.py", "smtp_server.py", "web_server.py"]),
        .testTarget(name: "SystemIOTests", dependencies: ["SystemIO", "TestSupport", "Wording"]),
        .testTarget(name: "ArchiveTests", dependencies: ["Archive", "Crypto", "SystemIO", "TestSupport", "Wording"]),
        .testTarget(name: "PostgresTests", dependencies: ["Postgres", "SystemIO", "TestSupport", "Wording"]),
        .testTarget(
            name: "SQLiteTests", dependencies: ["SQLite", "SystemIO", "TestSupport", "Wording"],
            exclude: ["writer.py", "content.py"]),
        .testTarget(
            name: "MLflowStoreTests",
            dependencies: ["MLflowStore", "Postgres", "SQLite", "SystemIO", "TestSupport", "Wording"],
            exclude: ["edits.py"]),
        .testTarget(
            name: "ObjectStoreTests", dependencies: ["Crypto", "ObjectStore", "SystemIO", "TestSupport", "Wording"]),
        .testTarget(
            name: "BackupTests",
            dependencies: [
                "Backup", "Archive", "Crypto", "MLflowStore", "ObjectStore", "Postgres", "SQLite", "SystemIO",
                "TestSupport",
                "Wording",
            ]),
        .testTarget(
            name: "ServiceTests",
            dependencies: ["Service", "Backup", "ObjectStore", "SQLite", "SystemIO", "TestSupport", "Wording"],
            exclude: ["task_writer.py"]),
        // Black box: the release binary under faults made by an LD_PRELOAD library, which the tests compile.
        .testTarget(
            name: "FaultTests", dependencies: ["Postgres", "SQLite", "SystemIO", "TestSupport"],
            exclude: ["Shim", "Fixtures", "clients.py"]),
        .testTarget(name: "HTTPServerTests", dependencies: ["HTTPServer", "SystemIO", "TestSupport"]),
        .testTarget(
            name: "APITests",
            // The program, too: which error ends it how is part of the list of errors.
            dependencies: [
                "API", "Archive", "Service", "Backup", "HTTPServer", "MLflowStore", "ObjectStore", "Postgres",
                "SQLite", "SystemIO", "TestSupport", "Wording", "mlflow-backup",
            ],
            exclude: ["schemathesis.toml"]),
        .testTarget(
            name: "ComposeTests", dependencies: ["SystemIO", "TestSupport"], exclude: ["images", "data.py"]),
        .testTarget(
            name: "StackTests",
            dependencies: ["Backup", "MLflowStore", "Postgres", "SystemIO", "TestSupport"],
            exclude: ["delete_experiments.py", "downgrade_database.py", "fingerprint.py", "version_data.py"]),
    ],
    swiftLanguageModes: [.v6]
)

// scripts/test --sanitizers builds the tests of these targets alone.
if let only = Context.environment["MLFLOW_TEST_TARGETS"]?.split(separator: ",").map(String.init) {
    package.targets.removeAll { $0.type == .test && !only.contains($0.name) }
}

// A member is seen only where its module is imported: what a file uses stands at its head.
for target in package.targets where target.type != .system && !target.name.hasPrefix("C") {
    target.swiftSettings = (target.swiftSettings ?? []) + [.enableUpcomingFeature("MemberImportVisibility")]
}
