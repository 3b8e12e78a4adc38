// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Where a connection comes from.
struct ClientAddress: Sendable {
    /// The numeric form, an IPv4 address as itself also where it came in as IPv6.
    let text: String
    /// What one client has to itself: an IPv4 address, the upper half of an IPv6 one (a /64 is the least that a network gives
    /// out, RFC 6177). `nil` for this machine.
    let network: [UInt8]?

    init(_ storage: sockaddr_storage) {
        text = Self.text(storage)
        let bytes = Self.bytes(storage)
        let isMapped = bytes.count == 16 && bytes.prefix(12).elementsEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff])
        let address = isMapped ? bytes.suffix(4) : bytes[...]
        let isLoopback = address.count == 4 ? address.first == 127 : address.elementsEqual(Self.loopback6)
        network = isLoopback ? nil : Array(address.count == 16 ? address.prefix(8) : address)
    }

    private static let loopback6 = [UInt8](repeating: 0, count: 15) + [1]

    private static func bytes(_ storage: sockaddr_storage) -> [UInt8] {
        withUnsafeBytes(of: storage) { raw in
            if Int32(storage.ss_family) == AF_INET6 {
                return withUnsafeBytes(of: raw.loadUnaligned(as: sockaddr_in6.self).sin6_addr) { Array($0) }
            }
            return withUnsafeBytes(of: raw.loadUnaligned(as: sockaddr_in.self).sin_addr) { Array($0) }
        }
    }

    private static func text(_ storage: sockaddr_storage) -> String {
        let size =
            Int32(storage.ss_family) == AF_INET6
            ? MemoryLayout<sockaddr_in6>.size : MemoryLayout<sockaddr_in>.size
        return withUnsafeBytes(of: storage) { raw in
            withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(NI_MAXHOST)) { buffer in
                guard let address = raw.baseAddress?.assumingMemoryBound(to: sockaddr.self),
                    let base = buffer.baseAddress,
                    getnameinfo(address, socklen_t(size), base, socklen_t(buffer.count), nil, 0, NI_NUMERICHOST) == 0
                else { return "" }
                let text = String(cString: base)
                let mapped = "::ffff:"
                return text.hasPrefix(mapped) && text.contains(".") ? String(text.dropFirst(mapped.count)) : text
            }
        }
    }
}
