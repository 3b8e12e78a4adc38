// SPDX-License-Identifier: Apache-2.0

import ObjectStore
import SystemIO
import TestSupport
import Testing

@Suite("A bucket that goes wrong", .besideThePool)
struct FaultyServerTests {
    private let server: ObjectServer
    private let proxy: FaultyProxy

    init() throws {
        server = try ObjectServer(.rcloneS3)
        proxy = try FaultyProxy(before: server)
    }

    private func write(_ name: String, _ content: [UInt8]) throws {
        let file = server.files.appending(name)
        try Directory.make(file.parent)
        try OpenFile(file, .createNew(mode: 0o644)).write(content)
    }

    @Test("503 or no answer for every other request are nothing but slower", arguments: ["busy", "slam"])
    func everyOther(mode: String) throws {
        defer { server.stop() }
        for number in 0..<20 { try write("f\(number)", noise(1000)) }
        let store = try server.s3(port: proxy.port)
        try proxy.go(mode)
        let objects = try store.objects()
        #expect(objects.count == 20)
        let connection = try store.connect()
        for object in objects {
            let content = try connection.read(object.key, limit: 2000).content
            #expect(try content == OpenFile(server.files.appending(object.key.bytes), .read).readAll())
        }
        let large = noise(6 << 20)
        try connection.put(.bytes(large), as: "large", mark: nil)
        #expect(try connection.read("large", limit: 7 << 20).content == large)
        try connection.copy("large", to: "copy")
        try connection.delete("large")
        #expect(try connection.describe("large") == nil)
    }

    @Test("one that always answers 503 is given up after the time that was given, and not before")
    func down() throws {
        defer { server.stop() }
        var patience = RequestPatience.short
        patience.retrying = 1.5
        let store = try server.s3(port: proxy.port, patience: patience)
        _ = try store.keys()
        try proxy.go("down")
        let start = MonotonicTime.nanoseconds()
        let error = failure { _ = try store.keys() }
        let seconds = MonotonicTime.seconds(since: start)
        guard case .throttled(_, let spent, let reason)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(spent == 1.5)
        #expect(reason.contains("SlowDown"))
        #expect(seconds > 1.2 && seconds < 5)
    }

    @Test("one that says nothing is given up, and its own error")
    func hang() throws {
        defer { server.stop() }
        var patience = RequestPatience.short
        (patience.stall, patience.retrying) = (1, 0)
        let store = try server.s3(port: proxy.port, patience: patience)
        try proxy.go("hang")
        #expect(failure { _ = try store.keys() } == .stalled(place: "s3://bucket", seconds: 1))
    }

    @Test("a request that waits ends when it is told to, in a second or two")
    func cancelled() throws {
        defer { server.stop() }
        let cancellation = Cancellation()
        let store = try server.s3(port: proxy.port, patience: RequestPatience(), cancellation: cancellation)
        try proxy.go("hang")
        let start = MonotonicTime.nanoseconds()
        let proxy = proxy
        let thread = try WorkerThread("cancel") {
            // Once the request is under way.
            _ = try? Patience.wait("a request") { try !proxy.requests().isEmpty }
            cancellation.cancel()
        }
        #expect(throws: CancelledError.self) { try store.keys() }
        thread.join()
        #expect(MonotonicTime.seconds(since: start) < 10)
    }

    @Test("a body that is cut short is gone on with where it ended, and comes whole")
    func cut() throws {
        defer { server.stop() }
        let content = noise(1_000_000)
        try write("object", content)
        let store = try server.s3(port: proxy.port)
        try proxy.go("cut 300000")
        #expect(try store.connect().read("object", limit: 2 << 20).content == content)
        #expect(try proxy.requests().count == 4)
    }

    @Test("an object that is replaced while it is read is said to have changed, and never comes mixed")
    func replaced() throws {
        defer { server.stop() }
        try write("object", noise(1_000_000))
        let connection = try server.s3(port: proxy.port).connect()
        try proxy.go("cut 300000")
        var isReplaced = false
        let error = failure {
            _ = try connection.read("object") { _ in
            } piece: { _ in
                if isReplaced { return }
                isReplaced = true
                try DurableFile.replace(server.files.appending("object"), with: noise(1_000_000))
                // The request for the rest comes whole.
                try proxy.go("pass")
            }
        }
        #expect(isReplaced)
        // What was sent before the proxy cut it may have been all that was asked for.
        #expect(error == .changed(key: "object"))
    }

    @Test("what was there all along comes once, in order, while others come and go")
    func changing() throws {
        defer { server.stop() }
        for number in 0..<2500 { try write("keep-\(10_000 + number)", []) }
        for number in 0..<200 { try write("keep-\(10_000 + number * 10).gone", []) }
        let listing = try server.s3().list()
        var found: [String] = []
        var step = 0
        while let object = try listing.next() {
            found.append(object.key.description)
            if found.count.isMultiple(of: 100), step < 200 {
                try Directory.remove(server.files.appending("keep-\(10_000 + step * 10).gone"))
                try write("keep-\(10_000 + step * 10).new", [])
                step += 1
            }
        }
        #expect(step > 10)
        let kept = found.filter { !$0.hasSuffix(".gone") && !$0.hasSuffix(".new") }
        #expect(kept == (0..<2500).map { "keep-\(10_000 + $0)" })
    }

    @Test("an error behind the 200 of a copy is seen, and the copy tried again")
    func late() throws {
        defer { server.stop() }
        let connection = try server.s3(port: proxy.port).connect()
        for number in 0..<3 {
            // So that a copy is what is refused, whichever request the proxy begins with.
            try connection.put("content \(number)", as: "from")
            if number == 1 { _ = try connection.describe("from") }
            try proxy.go("late")
            try connection.copy("from", to: "to")
            try proxy.go("pass")
            #expect(try connection.text("to") == "content \(number)")
        }
        #expect(try proxy.requests().filter { $0 == "PUT /bucket/to" }.count > 3)
    }

    @Test("a bucket that is in another region is found there")
    func region() throws {
        defer { server.stop() }
        try write("object", [1])
        try proxy.go("region eu-central-2")
        let store = try server.s3(port: proxy.port)
        #expect(try store.keys() == ["object"])
        #expect(try store.connect().read("object", limit: 1).content == [1])
        // The second connection begins with what the first one learnt.
        #expect(try proxy.requests().count == 3)
    }

    @Test("what is no store is said to be none")
    func noStore() throws {
        defer { server.stop() }
        let dav = try ObjectServer(.webDAV)
        defer { dav.stop() }
        let error = failure { _ = try server.s3(port: dav.port).keys() }
        #expect(["store-access-denied", "store-answer-unusable"].contains(error?.errorCode ?? ""))
    }
}
