// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// A real program run for a test.
package enum Shell {
    /// Runs a program by its path and expects exit status 0.
    /// - Returns: its standard output.
    @discardableResult
    package static func run(
        _ executable: FilePath, _ arguments: [String] = [], environment: [String: String] = [:]
    ) throws -> String {
        var whole = ["PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"]
        whole.merge(environment) { _, new in new }
        let outcome = try ChildProcess(executable, arguments, environment: whole).run()
        if !outcome.succeeded {
            throw ProgramFailed(
                command: ([executable.string] + arguments).joined(separator: " "), exit: outcome.exit,
                output: outcome.output, errors: outcome.errors)
        }
        return outcome.output
    }

    /// Runs a line of `sh` and expects exit status 0.
    @discardableResult
    package static func sh(_ script: String, environment: [String: String] = [:]) throws -> String {
        try run("/bin/sh", ["-euc", script], environment: environment)
    }

    /// Inverts one byte of a file: a constant one would be, once in 256 times, what was there, and no damage.
    package static func invertByte(of path: FilePath, at place: UInt64) throws {
        try sh(
            """
            byte=$(od -An -tu1 -j \(place) -N1 '\(path)' | tr -d ' ')
            printf "\\\\$(printf %o $((byte ^ 255)))" | dd of='\(path)' bs=1 seek=\(place) conv=notrunc status=none
            """)
    }
}

package struct ProgramFailed: Error, CustomStringConvertible {
    package let command: String
    package let exit: ChildProcess.Exit
    package let output: String
    package let errors: String

    package var description: String { "\(command): \(exit)\n\(output)\n\(errors)" }
}
