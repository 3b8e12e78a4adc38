// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import ObjectStore
import SystemIO
import Wording

/// Writes objects of a backup into a store, several at once. The backup is read once, in its own order; an object of more than a few
/// MiB goes through a file.
final class ObjectUpload {
    private enum Content: Sendable {
        case bytes([UInt8])
        case file(OpenFile)
    }

    private struct State: Sendable {
        var work: [(key: ObjectKey, content: Content, cost: Int)] = []
        var bytes = 0
        var underWay = 0
        var isClosed = false
        var failure: (any Error)?
    }

    private static let connections = 4
    /// Bytes in memory, and from which on an object goes through a file.
    private static let (memory, large) = (48 << 20, 8 << 20)

    private let state = Monitor(State())
    private let store: any RemoteStore
    private let folder: FilePath
    private let threads: [WorkerThread]
    private let cancellation: Cancellation

    /// - Parameters:
    ///   - folder: where an object lies before it is sent; the restore's own, which goes with it.
    ///   - mark: `StoreConnection.put`.
    init(_ store: any RemoteStore, in folder: FilePath, mark: String?) throws {
        (self.store, self.folder) = (store, folder)
        let (state, cancellation) = (state, Cancellation(within: store.cancellation))
        self.cancellation = cancellation
        threads = try WorkerThread.start(
            Self.connections, named: "upload", orElse: { state.withLock { $0.isClosed = true } }
        ) {
            Self.send(state, store, cancellation, mark)
        }
    }

    deinit {
        cancellation.cancel()
        state.withLock {
            $0.isClosed = true
            $0.work = []
        }
        threads.forEach { $0.join() }
    }

    /// - Parameter wanted: by their paths in the backup, with the keys to be written.
    /// - Throws: what the first that failed ended with, `ArchiveError` where the backup does not give one.
    func run(_ wanted: [EntryPath: ObjectKey], from item: CatalogueItem, onBytes: (UInt64) -> Void) throws {
        var key: ObjectKey?
        var bytes: [UInt8] = []
        var file: OpenFile?
        try BackupContents(item).copy(Set(wanted.keys)) { piece in
            try store.cancellation.check()
            switch piece {
            case .begin(let entry):
                (key, bytes, file) = (wanted[entry.path], [], nil)
                if entry.size > UInt64(Self.large) { file = try spool() }
            case .bytes(let part):
                onBytes(UInt64(part.count))
                if let file { try file.write(part) } else { bytes.append(contentsOf: part) }
            case .end:
                guard let key else { return }
                try add(key, file.map { .file($0) } ?? .bytes(bytes), file == nil ? bytes.count : 0)
            case .lost(_, let error): throw error
            }
        }
        try state.wait { state -> Result<Void, any Error>? in
            if let failure = state.failure { return .failure(failure) }
            return state.work.isEmpty && state.underWay == 0 ? .success(()) : nil
        }.get()
    }

    /// With a name, by which rclone takes it.
    private func spool() throws -> OpenFile {
        try OpenFile(
            folder.appending("upload-\(getpid())-\(UInt64.random(in: .min ... .max))"), .createNew(mode: 0o600))
    }

    private func add(_ key: ObjectKey, _ content: Content, _ cost: Int) throws {
        try state.wait { state -> Result<Void, any Error>? in
            if let failure = state.failure { return .failure(failure) }
            // One at least, and of those on disk a few.
            guard state.work.isEmpty || state.bytes + cost <= Self.memory && state.work.count < 64 else { return nil }
            state.bytes += cost
            state.work.append((key, content, cost))
            return .success(())
        }.get()
    }

    private static func send(
        _ state: Monitor<State>, _ store: any RemoteStore, _ cancellation: Cancellation, _ mark: String?
    ) {
        var connection: (any StoreConnection)?
        while true {
            let next = state.wait { state -> (key: ObjectKey, content: Content, cost: Int)?? in
                if !state.work.isEmpty {
                    state.underWay += 1
                    return .some(state.work.removeFirst())
                }
                return state.isClosed ? .some(nil) : nil
            }
            guard let (key, content, cost) = next else { return }
            var failure: (any Error)?
            do {
                let used = try connection ?? store.connect(cancellation)
                connection = used
                switch content {
                case .bytes(let bytes): try used.put(.bytes(bytes), as: key, mark: mark)
                case .file(let file):
                    try used.put(.file(file), as: key, mark: mark)
                    try Directory.remove(file.path)
                }
            } catch { failure = error }
            state.withLock {
                $0.underWay -= 1
                $0.bytes -= cost
                $0.failure = $0.failure ?? failure
            }
        }
    }
}
