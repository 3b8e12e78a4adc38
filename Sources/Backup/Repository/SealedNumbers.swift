// SPDX-License-Identifier: Apache-2.0

import Crypto
import Archive
import SystemIO

/// A set of numbers in the folder's state: eight bytes each, little end first, and behind them the SHA-256 of it all.
enum SealedNumbers {
    private static let sealSize = 32

    /// Replaces what is there.
    /// - Parameter mode: permission bits of the file.
    static func write(_ numbers: [UInt64], to path: FilePath, mode: UInt32 = 0o600) throws(SystemError) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(numbers.count * 8 + sealSize)
        for number in numbers { withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) } }
        bytes += seal(bytes[...])
        try DurableFile.replace(path, with: bytes, mode: mode)
    }

    /// - Returns: `nil` where nothing it says is to be believed.
    /// - Throws: where nobody can read it.
    static func read(at path: FilePath) throws(SystemError) -> Set<UInt64>? {
        let bytes = try OpenFile(path, .readNoFollow).readAll(limit: 1 << 30)
        let body = bytes.dropLast(sealSize)
        guard bytes.count >= sealSize, body.count % 8 == 0, bytes.suffix(sealSize).elementsEqual(seal(body)) else {
            return nil
        }
        var numbers: Set<UInt64> = []
        for start in stride(from: 0, to: body.count, by: 8) {
            numbers.insert(body[start..<start + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) })
        }
        return numbers
    }

    private static func seal(_ body: ArraySlice<UInt8>) -> [UInt8] {
        var hash = SHA256()
        body.withUnsafeBytes { hash.update($0) }
        return hash.finish().bytes
    }
}
