// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// Tells ahead of the comparison which entries the backup before has unchanged: what it has not is fetched meanwhile.
package final class RecordForesight {
    private let records: RecordStream
    private var waiting: ArchiveIndex.Record?

    init(_ records: RecordStream) throws {
        self.records = records
        waiting = try records.next()
    }

    /// Ask in the order of the backup.
    package func isUnchanged(_ candidate: ReuseCandidate) throws -> Bool {
        while let record = waiting, record.entry.path != candidate.entry.path, record.entry.precedes(candidate.entry) {
            waiting = try records.next()
        }
        guard let record = waiting, record.entry.path == candidate.entry.path, let preamble = records.preamble else {
            return false
        }
        return try preamble.proves(candidate, isUnchangedSince: record.entry)
    }
}
