// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// What every operation works on, and how it talks to whoever asked for it.
///
/// Each operation is a job made of a workspace: it takes the locks it needs, settles what an earlier one left, does its
/// work, and logs it. Nobody has to do any of this around a job.
package struct Workspace: Sendable {
    package internal(set) var stack: LiveStack
    package let folder: BackupFolder
    package let log: Log
    package var cancellation: Cancellation
    package var progress: ProgressSink
    /// Seconds to wait for another operation.
    package var waitSeconds: Double
    /// The task this is done for: it is written into the journal, so that a recovery can say how the task ended.
    package var task: String?
    /// Seconds for which what a restore replaced is kept at least.
    package var keepSeconds: Int64 = 24 * 3600
    /// Bytes that all of it together may hold before the oldest goes; `nil` for no bound.
    package var keepBytes: UInt64?
    /// Told how a restore ended that an earlier process left unfinished: by whichever operation settles it, and in
    /// whichever process, so that its task can say so.
    package var settled: @Sendable (RestoreRecovery.Outcome) -> Void = { _ in }
    /// Told of each backup as it is published: it stays, whatever becomes of the operation that made it.
    package var published: @Sendable (BackupName) -> Void = { _ in }

    package init(
        _ stack: LiveStack, _ folder: BackupFolder, log: Log, cancellation: Cancellation = Cancellation(),
        waitSeconds: Double = 600, task: String? = nil, progress: @escaping ProgressSink = { _ in }
    ) {
        // Anew for each operation: a link may lead elsewhere by now.
        self.stack = stack.followingLinks()
        self.folder = folder
        self.log = log
        self.cancellation = cancellation
        self.waitSeconds = waitSeconds
        self.task = task
        self.progress = progress
    }
}
