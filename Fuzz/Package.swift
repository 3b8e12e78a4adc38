// swift-tools-version: 6.0
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

/// The archive engine with libFuzzer's instruments. A package of its own, because every target must be compiled so;
/// `Sources` is a link to the product's.
let instruments: [SwiftSetting] = [.unsafeFlags(["-sanitize=fuzzer", "-enable-testing"])]

let package = Package(
    name: "fuzz",
    targets: [
        .systemLibrary(name: "CISAL", path: "Sources/CShims/CISAL"),
        .systemLibrary(name: "CCrypto", path: "Sources/CShims/CCrypto"),
        .target(name: "CLinux", path: "Sources/CShims/CLinux"),
        .target(name: "Wording", path: "Sources/Wording"),
        .target(name: "SystemIO", dependencies: ["CLinux", "Wording"], path: "Sources/SystemIO"),
        .target(name: "Crypto", dependencies: ["SystemIO", "CCrypto"], path: "Sources/Crypto"),
        .target(
            name: "Archive", dependencies: ["Crypto", "SystemIO", "Wording", "CISAL"], path: "Sources/Archive",
            swiftSettings: instruments),
        .executableTarget(
            name: "fuzz-archive", dependencies: ["Archive", "Crypto", "SystemIO"], path: "fuzz-archive",
            swiftSettings: [.unsafeFlags(["-sanitize=fuzzer", "-parse-as-library"])],
            linkerSettings: [.unsafeFlags(["-sanitize=fuzzer"])]),
    ],
    swiftLanguageModes: [.v6]
)
