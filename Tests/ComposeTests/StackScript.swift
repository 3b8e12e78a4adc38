// SPDX-License-Identifier: Apache-2.0

import Foundation
import SystemIO
import TestSupport

/// The stack's shell scripts as they lie in this checkout, run without Docker in a folder of the test's own.
struct StackScript {
    static let checkout = FilePath(String(#filePath)).parent.parent.parent
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder("stack-script") }

    struct Answer {
        let exit: Int32
        let text: String
    }

    /// Runs a line of bash in the folder. `$CHECKOUT_ROOT` is the checkout. - Returns: exit status, and both outputs in one.
    func bash(_ line: String, _ environment: [String: String] = [:]) throws -> Answer {
        var whole = ["PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "CHECKOUT_ROOT": Self.checkout.string]
        whole.merge(environment) { $1 }
        let outcome = try ChildProcess(
            "/usr/bin/timeout",
            ["-k", "5", "60", "/bin/bash", "-c", "cd '\(folder.path)' && { \(line)\n} 2>&1 </dev/null"],
            environment: whole
        ).run()
        guard case .code(let code) = outcome.exit else { return Answer(exit: -1, text: outcome.output) }
        return Answer(exit: code, text: outcome.output + outcome.errors)
    }

    /// What a file of the folder holds, without the last end of line; `nil` where there is none.
    func content(_ name: String) throws -> String? {
        let path = folder.path.appending(name)
        guard try FileStatus.ifPresent(path) != nil else { return nil }
        return String(decoding: try OpenFile(path, .read).readAll(), as: UTF8.self)
            .trimmingCharacters(in: .newlines)
    }
}
