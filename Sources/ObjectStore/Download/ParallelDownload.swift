// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// Objects in the order in which they are asked for, while those behind them are fetched already: what makes many small objects as
/// fast as a few large ones. For one thread; the fetching is done by others.
package final class ParallelDownload {
    package struct Wish: Sendable {
        package let object: ListedObject
        /// Whether its content is wanted: one that is not keeps its place in the order, and costs nothing.
        package let isWanted: Bool

        package init(_ object: ListedObject, isWanted: Bool = true) {
            (self.object, self.isWanted) = (object, isWanted)
        }
    }

    package enum Content: Sendable, Equatable {
        case notWanted
        /// With the stamps of what was read. They differ from the listing's where somebody has written since.
        case whole([UInt8], ObjectDescription)
        /// Too large to be fetched ahead: `stream` reads it.
        case large
        /// Deleted since it was listed.
        case gone
        /// Another one came while it was read.
        case changed
    }

    package struct Limits: Sendable, Equatable {
        package var connections = 8
        /// Bytes of contents, fetched or under way.
        package var memory: UInt64 = 64 << 20
        /// Bytes; what is larger is not fetched ahead.
        package var large: UInt64 = 8 << 20
        /// Objects that are known ahead, wanted or not.
        package var ahead = 1024

        package init() {}
    }

    private enum Outcome: Sendable {
        case content(Content)
        case failure(any Error)
    }

    private final class Place: Sendable {
        let wish: Wish
        /// Bytes of the budget that it has taken.
        let cost: UInt64
        let outcome: Monitor<Outcome?>

        init(_ wish: Wish, cost: UInt64, _ outcome: Outcome?) {
            (self.wish, self.cost) = (wish, cost)
            self.outcome = Monitor(outcome)
        }
    }

    private struct Queue: Sendable {
        var work: [Place] = []
        var first = 0
        var isClosed = false

        mutating func take() -> Place? {
            guard first < work.count else { return nil }
            defer {
                first += 1
                if first > 512 {
                    work.removeFirst(first)
                    first = 0
                }
            }
            return work[first]
        }
    }

    private let source: () throws -> Wish?
    private let limits: Limits
    private let store: any RemoteStore
    private let queue = Monitor(Queue())
    private let cancellation: Cancellation
    private let threads: [WorkerThread]
    private var places: [Place] = []
    private var head = 0
    private var spent: UInt64 = 0
    /// The next wish, which there was no room for.
    private var pending: Wish?
    private var isSourceAtEnd = false
    private var own: (any StoreConnection)?

    /// - Parameter source: the next object; `nil` after the last. Called on the thread that calls `next`.
    package init(
        _ store: any RemoteStore, limits: Limits = Limits(), _ source: @escaping () throws -> Wish?
    ) throws {
        (self.store, self.limits, self.source) = (store, limits, source)
        let (queue, cancellation) = (queue, Cancellation(within: store.cancellation))
        self.cancellation = cancellation
        threads = try WorkerThread.start(
            limits.connections, named: "fetch", orElse: { queue.withLock { $0.isClosed = true } }
        ) {
            Self.fetch(queue, store, cancellation)
        }
    }

    /// What is under way is of no use to anybody then.
    deinit {
        cancellation.cancel()
        queue.withLock { $0.isClosed = true }
        threads.forEach { $0.join() }
    }

    /// - Returns: `nil` after the last.
    /// - Throws: what a request, or the source, ended with; at the place of its object in the order.
    package func next() throws -> (object: ListedObject, content: Content)? {
        try fill()
        guard head < places.count else { return nil }
        let place = places[head]
        let outcome = place.outcome.wait { $0 }
        head += 1
        spent -= place.cost
        if head > 512 {
            places.removeFirst(head)
            head = 0
        }
        switch outcome {
        case .content(let content): return (place.wish.object, content)
        case .failure(let error): throw error
        }
    }

    /// Reads a large object on this thread, as `StoreConnection.read` does.
    package func stream(
        _ object: ListedObject, begin: (ObjectDescription) throws -> Void,
        piece: (UnsafeRawBufferPointer) throws -> Void
    ) throws -> ObjectDescription {
        let connection = try own ?? store.connect()
        own = connection
        return try connection.read(object.key, begin: begin, piece: piece)
    }

    private func fill() throws {
        while !isSourceAtEnd, places.count - head < limits.ahead {
            guard let wish = try pending ?? source() else {
                isSourceAtEnd = true
                return
            }
            pending = nil
            let size = wish.object.stamps.size
            if !wish.isWanted || size > limits.large {
                places.append(Place(wish, cost: 0, .content(wish.isWanted ? .large : .notWanted)))
                continue
            }
            // One at least, or nothing would ever come.
            if spent.adding(clamped: size) > limits.memory, head < places.count {
                pending = wish
                return
            }
            spent += size
            let place = Place(wish, cost: size, nil)
            places.append(place)
            queue.withLock { $0.work.append(place) }
        }
    }

    private static func fetch(_ queue: Monitor<Queue>, _ store: any RemoteStore, _ cancellation: Cancellation) {
        var connection: (any StoreConnection)?
        while true {
            let next = queue.wait { queue -> Place?? in
                if queue.isClosed { return .some(nil) }
                return queue.take().map { .some($0) }
            }
            guard let place = next else { return }
            let outcome: Outcome
            do {
                let used = try connection ?? store.connect(cancellation)
                connection = used
                outcome = .content(try content(of: place.wish.object, used))
            } catch {
                outcome = .failure(error)
            }
            place.outcome.withLock { $0 = outcome }
        }
    }

    private static func content(of object: ListedObject, _ connection: any StoreConnection) throws -> Content {
        // It may have grown since it was listed: what it takes was reckoned with what it had.
        let limit = Int(clamping: max(object.stamps.size, 64 << 10))
        do {
            var bytes: [UInt8] = []
            var before: ObjectDescription?
            let after = try connection.read(object.key) { description in
                guard description.stamps.size <= UInt64(limit) else { throw ObjectStoreError.changed(key: object.key) }
                before = description
                bytes.reserveCapacity(Int(description.stamps.size))
            } piece: {
                bytes.append(contentsOf: $0)
            }
            if let before, !before.stamps.agree(with: after.stamps) { return .changed }
            return .whole(bytes, after)
        } catch ObjectStoreError.gone {
            return .gone
        } catch ObjectStoreError.changed {
            return .changed
        }
    }
}
