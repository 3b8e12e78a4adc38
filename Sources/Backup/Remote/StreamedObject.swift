// SPDX-License-Identifier: Apache-2.0

import ObjectStore
import SystemIO

/// One object as a source of bytes: a store hands out pieces as they come, and whoever writes a backup asks for them. A thread reads
/// a little ahead.
final class StreamedObject {
    private struct State {
        var pieces: [[UInt8]] = []
        var bytes = 0
        var begun: ObjectDescription?
        /// How the reading ended.
        var end: Result<ObjectDescription, any Error>?
        var isAbandoned = false
    }

    /// Bytes that are read ahead.
    private static let ahead = 4 << 20

    private let state = Monitor(State())
    private let cancellation: Cancellation
    private let thread: WorkerThread
    private var piece: ArraySlice<UInt8> = []

    init(_ store: any RemoteStore, _ key: ObjectKey) throws {
        let (state, cancellation) = (state, Cancellation(within: store.cancellation))
        self.cancellation = cancellation
        thread = try WorkerThread("object") { Self.read(store, key, state, cancellation) }
    }

    deinit {
        cancellation.cancel()
        state.withLock { $0.isAbandoned = true }
        thread.join()
    }

    private static func read(
        _ store: any RemoteStore, _ key: ObjectKey, _ state: Monitor<State>, _ cancellation: Cancellation
    ) {
        let end = Result {
            try store.connect(cancellation).read(key) { description in
                state.withLock { $0.begun = description }
            } piece: { bytes in
                let isWanted = state.wait { state -> Bool? in
                    if state.isAbandoned { return false }
                    return state.bytes < ahead ? true : nil
                }
                guard isWanted else { throw CancelledError() }
                let piece = Array(bytes)
                state.withLock {
                    $0.pieces.append(piece)
                    $0.bytes += piece.count
                }
            }
        }
        state.withLock { $0.end = end }
    }

    /// What the store says of it before the first byte.
    /// - Throws: `ObjectStoreError.gone` where there is none.
    func begin() throws -> ObjectDescription {
        try state.wait { state -> Result<ObjectDescription, any Error>? in
            if let begun = state.begun { return .success(begun) }
            return state.end
        }.get()
    }

    /// As `ContentSource`. Where the object became another one meanwhile it ends early.
    func fill(_ buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        var count = 0
        while count < buffer.count {
            if piece.isEmpty {
                guard let next = try nextPiece() else { break }
                piece = next[...]
            }
            let part = piece.prefix(buffer.count - count)
            UnsafeMutableRawBufferPointer(rebasing: buffer[count...]).copyBytes(from: part)
            count += part.count
            piece = piece.dropFirst(part.count)
        }
        return count
    }

    private func nextPiece() throws -> [UInt8]? {
        let next = state.wait { state -> Result<[UInt8]?, any Error>? in
            if !state.pieces.isEmpty {
                let piece = state.pieces.removeFirst()
                state.bytes -= piece.count
                return .success(piece)
            }
            switch state.end {
            case nil: return nil
            case .failure(let error)? where !Self.isOfChange(error): return .failure(error)
            case .some: return .success(nil)
            }
        }
        return try next.get()
    }

    /// After the last byte was asked for.
    /// - Returns: what was read; `nil` where the store may have given parts of two objects.
    func finish() throws -> ObjectDescription? {
        let end = state.wait { state -> Result<ObjectDescription, any Error>? in
            // What comes beyond the size that was announced is not waited for.
            state.bytes -= state.pieces.reduce(0) { $0 + $1.count }
            state.pieces = []
            return state.end
        }
        do {
            let (after, before) = (try end.get(), try begin())
            return before.stamps.agree(with: after.stamps) ? after : nil
        } catch  where Self.isOfChange(error) { return nil }
    }

    private static func isOfChange(_ error: any Error) -> Bool {
        switch error as? ObjectStoreError {
        case .changed, .gone: true
        default: false
        }
    }
}
