// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO

/// Work done as an ordinary user by a test that is root: on a thread of its own, whose user the kernel knows apart from those of
/// the process's other threads. Threads and programs that it starts are that user's, too.
package enum OrdinaryUser {
    private typealias Call = @convention(c) (Int, UInt, UInt, UInt) -> Int

    /// Linux on x86-64 and on arm64: setgroups, setresgid, setresuid.
    #if arch(x86_64)
        private static let numbers = (groups: 116, group: 119, user: 117)
    #else
        private static let numbers = (groups: 159, group: 149, user: 147)
    #endif

    /// - Parameters:
    ///   - user: its number, and that of its group.
    ///   - groups: others that it is in.
    @discardableResult
    package static func run<Result: Sendable>(
        _ user: UInt32, groups: [UInt32] = [], _ body: @escaping @Sendable () throws -> Result
    ) throws -> Result {
        let outcome = Monitor<Swift.Result<Result, any Error>?>(nil)
        try WorkerThread("user-\(user)") {
            let result = Swift.Result { () throws -> Result in
                try become(user, groups)
                return try body()
            }
            outcome.withLock { $0 = result }
        }.join()
        guard let result = outcome.withLock({ $0 }) else { throw SystemError("run as", path: "\(user)", code: EINVAL) }
        return try result.get()
    }

    /// The C library's functions change every thread's user: they go round it to the kernel.
    private static func become(_ user: UInt32, _ groups: [UInt32]) throws {
        guard let address = dlsym(nil, "syscall") else { throw SystemError("run as", path: "\(user)", code: ENOSYS) }
        let call = unsafeBitCast(address, to: Call.self)
        let done = groups.withUnsafeBytes { list in
            call(numbers.groups, UInt(groups.count), UInt(bitPattern: list.baseAddress), 0) == 0
                && call(numbers.group, UInt(user), UInt(user), UInt(user)) == 0
                && call(numbers.user, UInt(user), UInt(user), UInt(user)) == 0
        }
        guard done else { throw SystemError("run as", path: "\(user)") }
    }
}
