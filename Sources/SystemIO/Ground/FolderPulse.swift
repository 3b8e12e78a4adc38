// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization

/// Whether a folder is alive: a small file is written, synced, read back and removed. A disk that died under a mounted file
/// system says so to nobody who only looks.
package enum FolderPulse {
    package typealias Reply = PatientQuestion<Bool>.Reply

    /// Seconds in which a disk answers that is awake and not busy.
    package static let hasty: Double = 3
    /// Seconds in which one is mounted that is mounted when it is asked for.
    package static let awakening: Double = 10

    private static let number = Atomic<UInt64>(0)
    private static let writing = Questions<Bool>()
    private static let looking = Questions<Bool>()

    /// - Parameters:
    ///   - folder: one that is ours alone.
    ///   - seconds: how long to wait for an answer.
    /// - Returns: false for bytes that come back as others; `.failed` with what the file system says.
    package static func take(in folder: FilePath, atMost seconds: Double = hasty) -> Reply {
        writing.of(folder).ask(atMost: seconds, standingFor: 1) { () throws(SystemError) in try beat(folder) }
    }

    /// The same of a folder that nothing is to be written to: its room is asked for, which no cache of the kernel knows.
    /// - Returns: whether it is there.
    package static func look(at folder: FilePath, atMost seconds: Double = hasty) -> Reply {
        looking.of(folder).ask(atMost: seconds, standingFor: 1) { () throws(SystemError) in
            do throws(SystemError) {
                _ = try OpenFile(folder, .directoryThroughLink).status()
                _ = try DiskSpace.at(folder)
                return true
            } catch {
                if error.isNotFound { return false }
                throw error
            }
        }
    }

    /// For who would hang with a disk that hangs.
    /// - Throws: `SystemError`, ETIMEDOUT.
    package static func refuseSilence(of folder: FilePath) throws(SystemError) {
        guard case .answered = look(at: folder) else {
            throw SystemError("look at", path: folder.string, code: ETIMEDOUT)
        }
    }

    private static func beat(_ folder: FilePath) throws(SystemError) -> Bool {
        let serial = number.add(1, ordering: .relaxed).newValue
        let path = folder.appending("pulse.\(getpid())-\(serial)\(DurableFile.partialSuffix)")
        let content = (0..<64).map { _ in UInt8.random(in: .min ... .max) }
        do throws(SystemError) {
            let file = try OpenFile(path, .createNew(mode: 0o600))
            try file.write(content)
            try file.sync()
            let isSame = try OpenFile(path, .readNoFollow).readAll(limit: 4096) == content
            try Directory.remove(path)
            return isSame
        } catch {
            _ = path.withCString { unlink($0) }
            throw error
        }
    }
}

/// One question for each folder, for as long as the process lives: an answer that never comes is waited for once.
package final class Questions<Answer: Sendable>: Sendable {
    private let questions = Monitor<[FilePath: PatientQuestion<Answer>]>([:])

    package init() {}

    package func of(_ folder: FilePath) -> PatientQuestion<Answer> {
        questions.withLock { known in
            if let question = known[folder] { return question }
            let question = PatientQuestion<Answer>()
            known[folder] = question
            return question
        }
    }
}

extension Abilities {
    private static let questions = Questions<Abilities>()

    /// What can be done in a folder that is ours alone; asked once in ten minutes, and again where that is another file system.
    /// - Parameters:
    ///   - seconds: how long to wait for an answer.
    ///   - isMade: whether the folder is made for it where it is not there, and removed again.
    /// - Returns: `nil` where nothing answers, or nothing can be tried: that is other checks' finding.
    package static func known(of folder: FilePath, atMost seconds: Double = 5, making isMade: Bool = false)
        -> Abilities?
    {
        guard let mount = MountTable.holding(isMade ? folder.parent : folder) else { return nil }
        let key = folder.appending("@\(mount.id) \(mount.device)")
        let reply = questions.of(key).ask(atMost: seconds, standingFor: 600) { () throws(SystemError) in
            let status = try FileStatus.ifPresent(folder)
            let isToGo = isMade && status == nil
            if isToGo { try Directory.make(folder, mode: 0o700) }
            defer { if isToGo { Directory.removeWhereEmpty(folder) } }
            return try FileSystemProbe.run(in: folder)
        }
        guard case .answered(let found) = reply else { return nil }
        return found
    }
}
