// SPDX-License-Identifier: Apache-2.0

import ObjectStore
import SystemIO
import TestSupport
import Testing

@Suite("A parallel download", .besideThePool)
struct ParallelDownloadTests {
    private func write(_ server: ObjectServer, _ name: String, _ content: [UInt8]) throws {
        try OpenFile(server.files.appending(name), .createNew(mode: 0o644)).write(content)
    }

    @Test("objects come in the listing's order, each with its bytes, and what is not wanted costs no request")
    func order() throws {
        let server = try ObjectServer(.rcloneS3)
        defer { server.stop() }
        let proxy = try FaultyProxy(before: server)
        var contents: [String: [UInt8]] = [:]
        for number in 0..<300 { contents["f\(1000 + number)"] = noise(number.isMultiple(of: 7) ? 200_000 : 500) }
        for (name, content) in contents { try write(server, name, content) }
        var limits = ParallelDownload.Limits()
        (limits.memory, limits.large, limits.ahead) = (10_000, 150_000, 50)
        let store = try server.s3(port: proxy.port)
        let listing = try store.list()
        var ahead: [ObjectKey: UInt64] = [:]
        let download = try ParallelDownload(store, limits: limits) {
            guard let object = try listing.next() else { return nil }
            let isWanted = !object.key.description.hasSuffix("3")
            ahead[object.key] = isWanted && object.stamps.size < limits.large ? object.stamps.size : 0
            return ParallelDownload.Wish(object, isWanted: isWanted)
        }
        var names: [String] = []
        while let (object, content) = try download.next() {
            let name = object.key.description
            // The one that came, and one that is known and was not begun, for which there was no room.
            #expect(ahead.count <= limits.ahead + 2)
            #expect(ahead.values.reduce(0, +) <= limits.memory + 500)
            ahead[object.key] = nil
            names.append(name)
            switch content {
            case .notWanted: #expect(name.hasSuffix("3"))
            case .whole(let bytes, let description):
                #expect(bytes == contents[name], "\(name)")
                #expect(description.stamps.agree(with: object.stamps))
            case .large:
                var bytes: [UInt8] = []
                let description = try download.stream(object) { _ in
                } piece: {
                    bytes.append(contentsOf: $0)
                }
                #expect(bytes == contents[name], "\(name)")
                #expect(description.stamps.size == 200_000)
            case .gone, .changed: Issue.record("\(name): \(content)")
            }
        }
        #expect(names == contents.keys.sorted())
        #expect(try !proxy.requests().contains { $0.hasSuffix("3") })
    }

    @Test("an object that was deleted since it was listed is gone, one that was replaced has other stamps")
    func changes() throws {
        let server = try ObjectServer(.moto)
        defer { server.stop() }
        let store = try server.s3()
        let connection = try store.connect()
        for key: ObjectKey in ["a", "b", "c", "d"] { try connection.put("first \(key)", as: key) }
        let objects = try store.objects()
        try connection.delete("b")
        try connection.put("second", as: "c")
        try connection.put(.bytes(noise(100_000)), as: "d", mark: nil)
        var rest = objects[...]
        let download = try ParallelDownload(store) { rest.popFirst().map { ParallelDownload.Wish($0) } }
        #expect(try download.next()?.content != .gone)
        #expect(try download.next()?.content == .gone)
        let (object, content) = try #require(try download.next())
        guard case .whole(let bytes, let description) = content else {
            Issue.record("\(content)")
            return
        }
        #expect(bytes == Array("second".utf8))
        #expect(!description.stamps.agree(with: object.stamps))
        // It would take more memory than was reckoned with.
        #expect(try download.next()?.content == .changed)
        #expect(try download.next() == nil)
    }

    @Test("an error comes at the place of its object, and the threads end with the download")
    func failures() throws {
        let server = try ObjectServer(.rcloneS3)
        defer { server.stop() }
        let proxy = try FaultyProxy(before: server)
        for number in 0..<20 { try write(server, "f\(100 + number)", noise(100)) }
        var patience = RequestPatience.short
        patience.retrying = 0.2
        let store = try server.s3(port: proxy.port, patience: patience)
        let objects = try store.objects()
        try proxy.go("down")
        var rest = objects[...]
        var download: ParallelDownload? = try ParallelDownload(store) {
            rest.popFirst().map { ParallelDownload.Wish($0, isWanted: rest.count < 15) }
        }
        for _ in 0..<5 { #expect(try download?.next()?.content == .notWanted) }
        #expect(failure { _ = try download?.next() }?.errorCode == "store-throttled")
        download = nil
    }

    @Test("one that is given up while requests hang ends with them, at once")
    func givenUp() throws {
        let server = try ObjectServer(.rcloneS3)
        defer { server.stop() }
        let proxy = try FaultyProxy(before: server)
        for number in 0..<20 { try write(server, "f\(100 + number)", noise(100)) }
        let store = try server.s3(port: proxy.port, patience: RequestPatience())
        let objects = try store.objects()
        try proxy.go("hang")
        let listed = try proxy.requests().count
        var rest = objects[...]
        var download: ParallelDownload? = try ParallelDownload(store) {
            rest.popFirst().map { ParallelDownload.Wish($0, isWanted: rest.count < 19) }
        }
        #expect(try download?.next()?.content == .notWanted)
        try Patience.wait("requests") { try proxy.requests().count > listed }
        let start = MonotonicTime.nanoseconds()
        download = nil
        #expect(MonotonicTime.seconds(since: start) < 10)
    }
}
