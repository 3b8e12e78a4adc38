// SPDX-License-Identifier: Apache-2.0

import Foundation
import SystemIO
import TestSupport
import Testing

/// `/docs` as a person opens it, in a real Chromium.
@Suite(.serialized, .aheadBesideThePool) struct BrowserTests {
    @Test func theDocumentationPageShowsEveryCallAndNeedsNoOtherHost() throws {
        let stack = try TestStack("docs")
        _ = try stack.backup()
        let document = try Curl.get("\(stack.backupURL)/openapi.json").object()
        #expect((document["openapi"] as? String)?.hasPrefix("3.1") == true)
        let paths = try #require(document["paths"] as? [String: [String: Any]])
        // That these are all there are is APITests' to show; here: those of the guide are among them.
        let calls = paths.flatMap { path, methods in
            methods.keys.filter { $0 != "parameters" }.map { "\($0.uppercased()) \(path)" }
        }
        for call in try GuideCall.all() {
            let (method, path) = try #require(call.target)
            #expect(
                try calls.contains { try $0.wholeMatch(of: Self.pattern(method, path)) != nil },
                "\(method) \(path) is not documented")
        }

        let page = try Curl.get("\(stack.backupURL)/docs")
        #expect(page.status == 200)
        #expect(page.headers["content-security-policy"]?.contains("default-src 'self'") == true)
        // A policy that the browser enforces, and a page that names no other host.
        let assets = page.text.matches(of: /(?:src|href)="([^"#]+)"/).map { String($0.1) }
        #expect(!assets.isEmpty)
        for asset in assets {
            #expect(asset.hasPrefix("/"), "\(asset) is on another host")
            #expect(try Curl.get("\(stack.backupURL)\(asset)").status == 200, "\(asset)")
        }

        let profile = try TemporaryFolder("chromium")
        let dom = try Shell.run(
            "/usr/bin/chromium",
            [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                "--user-data-dir=\(profile.path)", "--virtual-time-budget=8000", "--dump-dom",
                "\(stack.backupURL)/docs",
            ], environment: ["HOME": profile.path.string])
        let cards = dom.matches(of: /<span class="method ([A-Z]+)">\1<\/span><code>([^<]+)<\/code>/)
        #expect(cards.map { "\($0.1) \($0.2)" }.sorted() == calls.sorted(), "a card for each call, and no other")
        // What the page asked the service for: its one backup.
        #expect(dom.contains(/<small>(备份数|Backups)<\/small><strong[^>]*>1<\/strong>/), "\(dom.prefix(2_000))")
        #expect(dom.contains(/<datalist id="names"><option value="mlflow_backup_[^"]+">/))
    }

    /// As the description has it: a name of the guide's is any name there.
    private static func pattern(_ method: String, _ path: String) throws -> Regex<AnyRegexOutput> {
        let segments = path.split(separator: "/").map { $0.allSatisfy(\.isLetter) ? "\($0)" : "\\{[a-z]+\\}" }
        return try Regex("\(method) /\(segments.joined(separator: "/"))")
    }
}
