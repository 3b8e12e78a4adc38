// SPDX-License-Identifier: Apache-2.0

import MLflowStore
import Testing
import Wording

@Suite struct ClientEditTests {
    @Test(
        "What a client adds or edits after a backup is found and named",
        arguments: expectedTexts.keys.sorted())
    func editsAreFound(_ name: String) throws {
        let findings = try EditedStores.shared.get().findings(name)
        let texts = findings.kept.map(\.text.english).map(Self.withoutNumbers)
        #expect(texts == expectedTexts[name])
        #expect(findings.total == expectedTexts[name]?.count)
    }

    @Test(
        "What a client deletes after a backup is no finding",
        arguments: EditedStores.names.filter { $0.hasPrefix("deleted_") })
    func deletionsAreNone(_ name: String) throws {
        let findings = try EditedStores.shared.get().findings(name)
        #expect(findings.kept.map(\.text.english) == [])
        #expect(findings.total == 0)
    }

    @Test func everyEditHasAnExpectation() {
        let known = Set(expectedTexts.keys)
        #expect(EditedStores.names.filter { !$0.hasPrefix("deleted_") && !known.contains($0) } == [])
        #expect(EditedStores.names.count > 90)
    }

    @Test("A freshly made store has nothing that a restore would lose", arguments: [false, true])
    func freshStoreHasNothing(started: Bool) throws {
        let live = try EditedStores.fresh(started: started)
        let comparison = try StoreComparison(live: live, restored: try EditedStores.shared.get().restored)
        defer { comparison.close() }
        #expect(try comparison.first().kept == [])
        #expect(try comparison.last().kept == [])
    }

    @Test func everythingInAFullStoreIsFoundAgainstAFreshOne() throws {
        let stores = try EditedStores.shared.get()
        let comparison = try StoreComparison(live: stores.restored, restored: try EditedStores.fresh(started: true))
        defer { comparison.close() }
        let texts = try comparison.first().kept.map(\.text.english).map(Self.withoutNumbers)
        for text in [
            "experiment \"sweeps\" (#) was added", "run \"lr sweep\" (#) was added",
            "registered model \"churn\" was added", "prompt \"greeting\" was added",
            "secret \"openai key\" (#) was added", "webhook \"hook\" (#) was added",
        ] { #expect(texts.contains(text)) }
        // Parts of what was added are not told one by one.
        #expect(!texts.contains { $0.contains(" of run ") || $0.contains(" of registered model ") })
    }

    /// Identifiers differ with each run of the tests.
    static func withoutNumbers(_ text: String) -> String {
        text.replacing(/\([^)]*\)/, with: "(#)")
    }
}
