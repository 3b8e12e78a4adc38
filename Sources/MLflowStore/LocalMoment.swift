// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// A time as MLflow stores it, shown in the service's zone.
struct LocalMoment: CustomStringConvertible {
    let milliseconds: Int64

    var description: String { LocalTime(epoch: milliseconds / 1000).iso }
}
