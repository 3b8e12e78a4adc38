// SPDX-License-Identifier: Apache-2.0

import Foundation
import SystemIO
import Testing

/// A PostgreSQL of the tests: the installed one, and those that `scripts/test` brings along, each with its programs.
package enum PostgresRelease: Sendable, CaseIterable, CustomTestStringConvertible {
    case installed
    case sixteen
    case eighteen

    /// Whose server `TemporaryPostgres` is within a test.
    @TaskLocal package static var current = PostgresRelease.installed

    /// The two that are not installed.
    package static var others: [Self] { [.sixteen, .eighteen] }

    /// Those that this machine has; the installed one is always among them. `--quick` does without the others.
    package static var here: [Self] { allCases.filter(\.isHere) }

    package var isHere: Bool { self == .installed || !TestForm.isQuick && named != nil }

    /// `bin` of what was unpacked, where a variable names it.
    var named: FilePath? {
        ProcessInfo.processInfo.environment[variable].flatMap { $0.isEmpty ? nil : FilePath($0) }
    }

    private var variable: String {
        switch self {
        case .installed: "MLFLOW_TEST_POSTGRES_BIN"
        case .sixteen: "MLFLOW_TEST_POSTGRES_16"
        case .eighteen: "MLFLOW_TEST_POSTGRES_18"
        }
    }

    package var testDescription: String {
        switch self {
        case .installed: "PostgreSQL as installed"
        case .sixteen: "PostgreSQL 16"
        case .eighteen: "PostgreSQL 18"
        }
    }

    /// Runs `body` with servers and programs of this one; what it finds is told with its name.
    package func run(_ test: Test, _ testCase: Test.Case?, _ body: @Sendable () async throws -> Void) async throws {
        let naming: IssueHandlingTrait = .compactMapIssues { issue in
            var named = issue
            named.comments.append("\(testDescription)")
            return named
        }
        try await Self.$current.withValue(self) {
            try await naming.provideScope(for: test, testCase: testCase, performing: body)
        }
    }
}

/// Runs each test of a suite once for every PostgreSQL that is here, one after the other.
package struct EachPostgres: SuiteTrait, TestTrait, TestScoping {
    package var isRecursive: Bool { true }

    package func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        let isWhole = test.traits.contains { $0 is OfContrib }
        for release in PostgresRelease.here where release == .installed || !isWhole {
            try await release.run(test, testCase, function)
        }
    }
}

/// A test of extensions that only the installed PostgreSQL has.
package struct OfContrib: TestTrait {}

extension Trait where Self == OfContrib {
    /// In an `onEachPostgres` suite: for the installed one alone, because of extensions that the others come without.
    package static var ofContrib: Self { OfContrib() }
}

extension Trait where Self == EachPostgres {
    /// For what reads the server's catalogue, its locks or its programs' words: those differ between versions.
    package static var onEachPostgres: Self { EachPostgres() }
}
