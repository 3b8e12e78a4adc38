// SPDX-License-Identifier: Apache-2.0

/// What sort of failure an error is, for those who turn errors into numbers: the API into statuses, the command line into exit
/// codes. The engines name the sort and know of neither.
package enum FailureKind: Sendable, Equatable, CaseIterable {
    /// What was named does not exist.
    case notFound
    /// It is there, and in no state for what was asked: something else has to be done first.
    case conflict
    /// Somebody else is at work on it; later it may go.
    case busy
    /// Refused for the sake of what would be lost; a person may insist.
    case refused
    /// A backup's bytes are not what they should be, or are no backup.
    case damaged
    /// A disk, or a file system's count of files, is used up.
    case noRoom
    /// A disk, a folder, a server or a program that is needed does not serve as it stands.
    case unavailable
    /// Options or settings that cannot be used.
    case usage
    /// Ended because it was told to.
    case cancelled
    /// Anything else, faults of this program among them.
    case failed
}

extension Error {
    /// That of a `CodedError`; `failed` for anything else.
    package var kindOfFailure: FailureKind { (self as? any CodedError)?.failureKind ?? .failed }
}
