// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO

/// Root as a container with `cap_drop: ALL` has it: user 0 without any of root's rights, on a thread of its own. Programs that
/// it starts have them again.
package enum PlainRoot {
    private typealias Call = @convention(c) (UnsafeRawPointer, UnsafeRawPointer) -> Int32

    @discardableResult
    package static func run<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) throws -> Result {
        let outcome = Monitor<Swift.Result<Result, any Error>?>(nil)
        try WorkerThread("plain-root") {
            let result = Swift.Result { () throws -> Result in
                try dropRights()
                return try body()
            }
            outcome.withLock { $0 = result }
        }.join()
        guard let result = outcome.withLock({ $0 }) else { throw SystemError("run as", path: "root", code: EINVAL) }
        return try result.get()
    }

    /// capset(2): the header's version 3, for this thread; then two times effective, permitted and inheritable.
    private static func dropRights() throws {
        guard let address = dlsym(nil, "capset") else { throw SystemError("run as", path: "root", code: ENOSYS) }
        let (header, none): ([UInt32], [UInt32]) = ([0x2008_0522, 0], [UInt32](repeating: 0, count: 6))
        guard unsafeBitCast(address, to: Call.self)(header, none) == 0 else {
            throw SystemError("run as", path: "root")
        }
    }
}
