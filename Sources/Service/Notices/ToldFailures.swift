// SPDX-License-Identifier: Apache-2.0

import Crypto
import Archive
import Backup
import Glibc
import SystemIO
import Wording

/// When who is told of every failure was told last of one that comes again and again, by what failed: of a schedule that fails each minute, or a
/// service that is started again and again, nobody wants a mail each time. In a file, since such processes end.
package struct ToldFailures: Sendable {
    /// Seconds for which nothing more is said of it: of a schedule, and of a service that cannot start.
    static let quiet: (schedule: Int64, start: Int64) = (3600, 86_400)

    /// The state's, and where that is away, as with its disk, one of this user's among temporary files.
    let files: [FilePath]
    private let log: Log
    private let memory = Monitor<[String: Moment]>([:])

    /// Of this process alone.
    init() { (files, log) = ([], .silent) }

    /// - Parameters:
    ///   - state: the state's folder; `nil` where nothing is written to it.
    ///   - stack: which of those that use the folder.
    package init(in state: FilePath?, of stack: LiveStack, log: Log) {
        let name = SHA256.digest(of: Array(ScheduledRun.name(of: stack).utf8)).hex.prefix(12)
        let beside = FilePath("/tmp").appending("mlflow-backup-told-\(geteuid())-\(name).json")
        self.init(files: [state?.appending("told-\(name).json"), beside].compactMap(\.self), log: log)
    }

    init(files: [FilePath], log: Log) { (self.files, self.log) = (files, log) }

    /// Whether it was not told of for so many seconds; from now on it was.
    func isNews(_ what: String, quietFor seconds: Int64, now: Moment = .now()) -> Bool {
        var told = memory.read { $0 }
        for file in files { told.merge(read(file)) { $0.age(at: now) < $1.age(at: now) ? $0 : $1 } }
        // What a clock that was ahead wrote says nothing.
        if let last = told[what], (0..<seconds).contains(last.age(at: now)) { return false }
        told[what] = now
        told = told.filter { (0..<Self.quiet.start).contains($0.value.age(at: now)) }
        memory.withLock { $0 = told }
        write(told)
        return true
    }

    /// What is well since is told of when it comes again.
    func forget(where isWell: (String) -> Bool) {
        memory.withLock { $0 = $0.filter { !isWell($0.key) } }
        for file in files {
            let told = read(file)
            let left = told.filter { !isWell($0.key) }
            guard left.count < told.count else { continue }
            do { try StateRecord.write(left, to: file) } catch {
                log.warning("what was told of is not written down", ["reason": error.bilingual[.english]])
            }
        }
    }

    /// Another user's among temporary files would keep the mails away.
    private func read(_ file: FilePath) -> [String: Moment] {
        do {
            try FolderPulse.refuseSilence(of: file.parent)
            guard let status = try FileStatus.ifPresent(file), status.owner == geteuid() else { return [:] }
        } catch { return [:] }
        return StateRecord.read([String: Moment].self, at: file) ?? [:]
    }

    /// To the first that takes it.
    private func write(_ told: [String: Moment]) {
        for file in files {
            do {
                try FolderPulse.refuseSilence(of: file.parent)
                return try StateRecord.write(told, to: file)
            } catch {
                log.warning("what was told of is not written down", ["reason": error.bilingual[.english]])
            }
        }
    }
}
