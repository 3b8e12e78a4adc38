// SPDX-License-Identifier: Apache-2.0

import Glibc
import Wording

extension SystemError {
    /// The C library's words for the code; in Chinese those of this table, since it has none of its own there but for where its
    /// translations are installed.
    package var reasonText: BilingualText { BilingualText(zh: Self.chineseReasons[code] ?? reason, en: reason) }

    /// What files, disks, processes and sockets say (errno(3)). Anything else stays in the C library's words.
    private static let chineseReasons: [Int32: String] = [
        EPERM: "不允许的操作", ENOENT: "没有该文件或目录", EINTR: "被信号中断", EIO: "输入输出错误", ENXIO: "没有该设备或地址",
        E2BIG: "参数过长", ENOEXEC: "不是可执行的格式", EAGAIN: "资源暂时不可用", ENOMEM: "内存不足", EACCES: "权限不足", EBUSY: "设备或资源正忙",
        EEXIST: "文件已存在", EXDEV: "跨文件系统", ENODEV: "没有该设备", ENOTDIR: "不是目录", EISDIR: "是目录", EINVAL: "无效的参数",
        ENFILE: "系统打开的文件过多", EMFILE: "本进程打开的文件过多", ETXTBSY: "可执行文件正在使用", EFBIG: "文件过大", ENOSPC: "磁盘空间不足",
        ESPIPE: "不能移动读写位置", EROFS: "文件系统只读", EMLINK: "硬链接过多", EPIPE: "管道已断开", EDEADLK: "会造成死锁", ENAMETOOLONG: "文件名过长",
        ENOLCK: "没有可用的锁", ENOSYS: "系统不支持该功能", ENOTEMPTY: "目录非空", ELOOP: "符号链接过多", ENODATA: "没有数据", EOVERFLOW: "数值过大",
        EBADMSG: "数据校验错误", EUCLEAN: "文件系统结构需要修复", EOPNOTSUPP: "不支持的操作", EADDRINUSE: "地址已被占用",
        EADDRNOTAVAIL: "无法使用该地址", ENETUNREACH: "网络不可达", ECONNRESET: "连接被对方重置", ENOTCONN: "没有连接", ETIMEDOUT: "超时",
        ECONNREFUSED: "连接被拒绝", EHOSTUNREACH: "主机不可达", ESTALE: "文件句柄已失效", EDQUOT: "超出磁盘配额", EREMOTEIO: "远端输入输出错误",
        EBADF: "文件描述符无效",
    ]
}
