// SPDX-License-Identifier: Apache-2.0

/// A path as Linux has it: bytes without NUL, not Unicode.
///
/// A Swift `String` compares by canonical equivalence, so two different files may have equal strings;
/// bytes never lie.
package struct FilePath: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    package let bytes: [UInt8]

    /// The bytes up to the first NUL, if there is one: what a system call would see.
    package init(bytes: [UInt8]) {
        self.bytes = Array(bytes.prefix { $0 != 0 })
    }

    package init(_ string: String) { self.init(bytes: Array(string.utf8)) }
    package init(stringLiteral value: String) { self.init(value) }

    /// For people; bytes that are not UTF-8 are shown as U+FFFD.
    package var description: String { String(decoding: bytes, as: UTF8.self) }
    package var string: String { description }
    package var isAbsolute: Bool { bytes.first == slash }

    package func appending(_ component: some Sequence<UInt8>) -> FilePath {
        var joined = bytes
        if let last = joined.last, last != slash { joined.append(slash) }
        joined.append(contentsOf: component)
        return FilePath(bytes: joined)
    }

    package func appending(_ component: String) -> FilePath { appending(component.utf8) }

    /// The bytes after the last slash.
    package var lastComponent: [UInt8] {
        guard let cut = bytes.lastIndex(of: slash) else { return bytes }
        return Array(bytes[(cut + 1)...])
    }

    /// The folder that holds this path, `.` for a bare name.
    package var parent: FilePath {
        guard let cut = bytes.lastIndex(of: slash) else { return "." }
        return cut == 0 ? "/" : FilePath(bytes: Array(bytes[..<cut]))
    }

    package func withCString<Result, Failure: Error>(
        _ body: (UnsafePointer<CChar>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        var terminated = bytes.map { CChar(bitPattern: $0) }
        terminated.append(0)
        return try withUnsafeTemporaryCString(terminated, body)
    }
}

private let slash = UInt8(ascii: "/")

/// `Array.withUnsafeBufferPointer` with a typed throw; the pointer ends with the call.
private func withUnsafeTemporaryCString<Result, Failure: Error>(
    _ terminated: [CChar], _ body: (UnsafePointer<CChar>) throws(Failure) -> Result
) throws(Failure) -> Result {
    var outcome: Swift.Result<Result, Failure>?
    terminated.withUnsafeBufferPointer { buffer in
        guard let base = buffer.baseAddress else { return }
        do throws(Failure) { outcome = .success(try body(base)) } catch { outcome = .failure(error) }
    }
    guard let outcome else { preconditionFailure("a terminated buffer is never empty") }
    return try outcome.get()
}
