// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A bound, listening, non-blocking TCP socket, closed with its last reference.
final class ListeningSocket: Sendable {
    let descriptor: Int32
    let port: UInt16

    init(address: String, port: UInt16) throws {
        var hints = addrinfo()
        hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(address, String(port), &hints, &found)
        defer { if let found { freeaddrinfo(found) } }
        guard code == 0, let first = found?.pointee else {
            throw HTTPServerError.badAddress(address: address, reason: String(cString: gai_strerror(code)))
        }

        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = socket(first.ai_family, type, 0)
        do {
            guard descriptor >= 0 else { throw ListeningSocket.failure(address, port) }
            var on: Int32 = 1
            // A restart must not wait for old connections in TIME_WAIT.
            guard setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size)) == 0,
                bind(descriptor, first.ai_addr, first.ai_addrlen) == 0, listen(descriptor, SOMAXCONN) == 0,
                let bound = ListeningSocket.boundPort(descriptor)
            else { throw ListeningSocket.failure(address, port) }
            self.port = bound
        } catch {
            if descriptor >= 0 { close(descriptor) }
            throw error
        }
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
    }

    /// From now on the kernel refuses connections instead of queueing them for nobody.
    func refuse() {
        shutdown(descriptor, Int32(SHUT_RDWR))
    }

    private static func failure(_ address: String, _ port: UInt16) -> HTTPServerError {
        let code = errno
        return code == EADDRINUSE
            ? .portInUse(address: address, port: port) : .cannotListen(address: address, port: port, code: code)
    }

    private static func boundPort(_ descriptor: Int32) -> UInt16? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutableBytes(of: &storage) { bytes -> UInt16? in
            guard let base = bytes.baseAddress,
                getsockname(descriptor, base.assumingMemoryBound(to: sockaddr.self), &length) == 0
            else { return nil }
            // sin_port and sin6_port lie at the same offset.
            return UInt16(bigEndian: bytes.load(fromByteOffset: 2, as: UInt16.self))
        }
    }
}
