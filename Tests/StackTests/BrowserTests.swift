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
        let calls = paths.flatMap { path, methods in methods.keys.map { "\($0.uppercased()) \(path)" } }
        for call in [
            "GET /health", "GET /backups", "POST /backups", "POST /restore", "GET /tasks", "GET /tasks/{id}",
            "GET /backups/{name}/download", "DELETE /backups/{name}", "GET /stats", "POST /cleanup",
        ] { #expect(calls.contains(call), "\(call) is not documented") }

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
        for path in paths.keys where !["/docs", "/openapi.json"].contains(path) {
            #expect(dom.contains(path), "\(path) is not on the page")
        }
    }
}
