// SPDX-License-Identifier: Apache-2.0

/// The MLflow server as something that can be stopped while its data changes places.
package struct TrackingServer: Sendable {
    /// For messages and the log: the container's name.
    package let name: String
    /// Ends it in good order, requests in flight included. `false` where it was not running.
    let stop: @Sendable () throws -> Bool
    /// Starts it again and waits until it answers.
    let start: @Sendable () throws -> Void

    package init(
        name: String, stop: @escaping @Sendable () throws -> Bool, start: @escaping @Sendable () throws -> Void
    ) {
        self.name = name
        self.stop = stop
        self.start = start
    }
}
