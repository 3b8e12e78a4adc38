// SPDX-License-Identifier: Apache-2.0

import Glibc
import Wording

/// A system call that failed: what was tried, on what, and the errno it gave.
package struct SystemError: ExplainedError, Equatable {
    package let operation: String
    package let path: String
    package let code: Int32

    package init(_ operation: String, path: String, code: Int32 = errno) {
        self.operation = operation
        self.path = path
        self.code = code
    }

    package var isNotFound: Bool { code == ENOENT || code == ENOTDIR }
    package var isFull: Bool { code == ENOSPC || code == EDQUOT }
    package var exists: Bool { code == EEXIST || code == ENOTEMPTY }
    package var isDenied: Bool { code == EACCES || code == EPERM || code == EROFS }
    /// What is said of a name that went away, or became another kind of thing, between two calls: ESTALE on NFS, EINVAL of a link that
    /// is none any more, ELOOP of what has become one, ENXIO of what has become a pipe or a socket.
    package var isOfChange: Bool { isNotFound || [ESTALE, EINVAL, ELOOP, ENXIO].contains(code) }
    /// What is said of a name at which a file must be, and is something else: a folder, a link, a pipe, a socket.
    package var isOfAnotherKind: Bool { [EISDIR, ENOTDIR, ELOOP, ENXIO, ESPIPE].contains(code) }
    /// What kernels say of bytes that a disk does not give any more: EIO, and the words of file systems and of block
    /// devices for a bad checksum or a bad place (EUCLEAN, EBADMSG, EREMOTEIO, ENODATA).
    package var isLostData: Bool { [EIO, EUCLEAN, EBADMSG, EREMOTEIO, ENODATA].contains(code) }

    /// The C library's words for the code.
    package var reason: String { String(cString: strerror(code)) }

    package var explanation: BilingualText {
        let advice: BilingualText =
            switch code {
            case ENOSPC, EDQUOT:
                BilingualText(zh: "磁盘已满：请释放空间后重试。", en: "The disk is full: free some room, then try again.")
            case EACCES:
                BilingualText(
                    zh: "没有权限：请检查该路径的所有者和权限。", en: "Permission denied: check the owner and mode of this path.")
            case EPERM:
                BilingualText(
                    zh: "没有权限：请检查该路径的所有者、权限和不可变属性（lsattr）。",
                    en:
                        "Permission denied: check the owner and mode of this path, and whether it is immutable (lsattr)."
                )
            case EROFS:
                BilingualText(zh: "文件系统是只读的。", en: "The file system is mounted read-only.")
            case EIO:
                BilingualText(
                    zh: "读写磁盘出错：请检查硬件和内核日志。", en: "The disk reported an error: check the hardware and the kernel log.")
            default: BilingualText.empty
            }
        return BilingualText(
            zh: "\(path)：\(operation) 失败（\(reasonText.chinese)）。", en: "\(operation) \(path): \(reason). ")
            + advice
    }
}

/// Repeats a call while a signal interrupts it, and throws what it reports otherwise.
@usableFromInline
@discardableResult
func retryingInterrupts<Value: FixedWidthInteger & SignedInteger>(
    _ operation: String, _ path: @autoclosure () -> String, _ call: () -> Value
) throws(SystemError) -> Value {
    while true {
        let result = call()
        if result >= 0 { return result }
        let code = errno
        if code != EINTR { throw SystemError(operation, path: path(), code: code) }
    }
}
