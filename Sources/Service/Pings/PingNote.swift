// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO

/// The newest ping of all processes that any of them sent, or had not sent when it ended.
struct PingNote: Sendable, Codable {
    var sign: PingURL.Sign
    var text: String
    /// When what it tells of happened.
    var written: Moment
    /// Why it was not taken: a running service goes on trying, and says so in `/health`. `nil` for one that was.
    var reason: AlarmBook.Words?

    /// Whether it tells of something later, so that a ping of that moment says nothing any more. Both clocks have to say so: one that is sent in
    /// vain does less harm than one that is not sent.
    func isNewer(than moment: Moment, now: Moment = .now()) -> Bool {
        // A clock that was ahead before the machine was started anew would keep all others from being sent.
        if written.boot?.id != now.boot?.id, written.epoch > now.epoch { return false }
        guard let mine = written.boot, let its = moment.boot, mine.id == its.id else {
            return written.epoch > moment.epoch
        }
        return written.epoch >= moment.epoch && mine.seconds >= its.seconds && written != moment
    }
}

/// Where that is: in the state folder, a file for each address, for two stacks that have one folder have two monitors.
struct PingLedger: Sendable {
    private let state: FilePath
    private let file: FilePath
    private let lock: FilePath

    init(in state: FilePath, of url: PingURL) {
        self.state = state
        file = state.appending("\(url.fileName).json")
        lock = state.appending("\(url.fileName).lock")
    }

    /// - Returns: `nil` where there is none, where it cannot be read, and where the disk does not answer.
    func read() -> PingNote? {
        do { try FolderPulse.refuseSilence(of: state) } catch { return nil }
        return StateRecord.read(PingNote.self, at: file)
    }

    /// Takes the place of any that is not newer.
    func write(_ note: PingNote) throws {
        try FolderPulse.refuseSilence(of: state)
        if let known = read(), known.isNewer(than: note.written) { return }
        try StateRecord.write(note, to: file)
    }

    /// One process at a time sends, so that none sends an older one while another's newer one is on its way.
    /// - Returns: `nil` where nobody else is waited for: after `seconds`, or where nothing can be locked.
    func turn(atMost seconds: Double) -> AdvisoryLock? {
        let begun = MonotonicTime.nanoseconds()
        repeat {
            do {
                try FolderPulse.refuseSilence(of: state)
                if let turn = try AdvisoryLock.tryLock(lock, note: "ping\n") { return turn }
            } catch { return nil }
            usleep(50_000)
        } while MonotonicTime.seconds(since: begun) < seconds
        return nil
    }
}
