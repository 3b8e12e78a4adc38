// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Postgres

@Suite("A search_path as the server keeps it")
struct SearchPathTests {
    @Test(
        "is read as the server reads it",
        arguments: [
            ("\"$user\", public", ["$user", "public"]), ("mlflow", ["mlflow"]), ("", []), ("\"\"", [""]),
            ("\"Über\", \"a \"\"b\"\", c\",public", ["Über", "a \"b\", c", "public"]), ("MLflow , x", ["mlflow", "x"]),
            ("\"open", ["open"]),
        ])
    func names(_ list: String, _ expected: [String]) { #expect(SearchPath.names(in: list) == expected) }
}
