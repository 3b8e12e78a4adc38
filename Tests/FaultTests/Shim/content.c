// SPDX-License-Identifier: Apache-2.0
// Calls that work on descriptors: reading, writing, syncing, attributes, closing, locking.
#define _GNU_SOURCE
#include "steps.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <unistd.h>

ssize_t write(int file, const void *bytes, size_t size) {
    MOVE('w', "write", file, size, syscall(SYS_write, file, bytes, size));
}
ssize_t pwrite(int file, const void *bytes, size_t size, off_t at) {
    MOVE('w', "pwrite", file, size, syscall(SYS_pwrite64, file, bytes, size, at));
}
ssize_t pwrite64(int file, const void *bytes, size_t size, off64_t at) { return pwrite(file, bytes, size, at); }
ssize_t writev(int file, const struct iovec *parts, int count) {
    MOVE('w', "writev", file, count, syscall(SYS_writev, file, parts, count));
}
ssize_t pwritev(int file, const struct iovec *parts, int count, off_t at) {
    MOVE('w', "pwritev", file, count, syscall(SYS_pwritev, file, parts, count, at, 0));
}
ssize_t pwritev64(int file, const struct iovec *parts, int count, off64_t at) { return pwritev(file, parts, count, at); }

ssize_t read(int file, void *bytes, size_t size) {
    MOVE('r', "read", file, size, syscall(SYS_read, file, bytes, size));
}
ssize_t __read_chk(int file, void *bytes, size_t size, size_t room) { return read(file, bytes, size < room ? size : room); }
ssize_t pread(int file, void *bytes, size_t size, off_t at) {
    MOVE('r', "pread", file, size, syscall(SYS_pread64, file, bytes, size, at));
}
ssize_t pread64(int file, void *bytes, size_t size, off64_t at) { return pread(file, bytes, size, at); }
ssize_t __pread64_chk(int file, void *bytes, size_t size, off64_t at, size_t room) {
    return pread(file, bytes, size < room ? size : room, at);
}

ssize_t copy_file_range(int from, off64_t *in, int to, off64_t *out, size_t size, unsigned flags) {
    MOVE('w', "copy_file_range", to, size, syscall(SYS_copy_file_range, from, in, to, out, size, flags));
}

int fsync(int file) { STEP('w', "fsync", ON(file), syscall(SYS_fsync, file)); }
int fdatasync(int file) { STEP('w', "fdatasync", ON(file), syscall(SYS_fdatasync, file)); }
int syncfs(int file) { STEP('w', "syncfs", ON(file), syscall(SYS_syncfs, file)); }
int sync_file_range(int file, off64_t at, off64_t size, unsigned flags) {
    STEP('w', "sync_file_range", ON(file), syscall(SYS_sync_file_range, file, at, size, flags));
}

int ftruncate(int file, off_t size) { STEP('w', "ftruncate", ON(file), syscall(SYS_ftruncate, file, size)); }
int ftruncate64(int file, off64_t size) { return ftruncate(file, size); }
int fallocate(int file, int mode, off_t at, off_t size) {
    STEP('w', "fallocate", ON(file), syscall(SYS_fallocate, file, mode, at, size));
}
int fallocate64(int file, int mode, off64_t at, off64_t size) { return fallocate(file, mode, at, size); }

int fchmod(int file, mode_t mode) { STEP('w', "fchmod", ON(file), syscall(SYS_fchmod, file, mode)); }
int fchown(int file, uid_t user, gid_t group) { STEP('w', "fchown", ON(file), syscall(SYS_fchown, file, user, group)); }
int fsetxattr(int file, const char *name, const void *value, size_t size, int flags) {
    STEP('w', "fsetxattr", ON(file), syscall(SYS_fsetxattr, file, name, value, size, flags));
}
int fremovexattr(int file, const char *name) {
    STEP('w', "fremovexattr", ON(file), syscall(SYS_fremovexattr, file, name));
}
int fstatvfs(int file, struct statvfs *status) {
    NEXT(fstatvfs);
    STEP('r', "statvfs", ON(file), next(file, status));
}
int fstatvfs64(int file, struct statvfs64 *status) { return fstatvfs(file, (struct statvfs *)status); }

int flock(int file, int operation) { STEP('w', "flock", ON(file), syscall(SYS_flock, file, operation)); }

int ioctl(int file, unsigned long request, ...) {
    va_list list;
    va_start(list, request);
    void *argument = va_arg(list, void *);
    va_end(list);
    // Sharing blocks is a write; terminals and sockets are none of ours.
    if (request != FICLONERANGE && request != FICLONE) return (int)syscall(SYS_ioctl, file, request, argument);
    STEP('w', "clone", ON(file), syscall(SYS_ioctl, file, request, argument));
}

// Closing what was written to can tell of a write that failed (NFS). The descriptor is gone all the same.
int close(int file) {
    char place[PLACE_SIZE];
    int flags = (int)syscall(SYS_fcntl, file, F_GETFL);
    if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY || !ON(file))
        return (int)syscall(SYS_close, file);
    struct fault fault = fault_step('w', "close", place, 0);
    int result = (int)syscall(SYS_close, file);
    fault_after(fault, 0);
    if (fault.action == FAULT_ERROR) {
        errno = fault.code;
        return -1;
    }
    return result;
}
