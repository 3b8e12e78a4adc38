// SPDX-License-Identifier: Apache-2.0
// Calls that work on names: open, rename, link, unlink, mkdir, attributes, listing.
#define _GNU_SOURCE
#include "steps.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

// Opening: by syscall, since the many names of it (open64, openat64, creat, __open_2 …) do one thing.
static int open_step(int directory, const char *path, int flags, mode_t mode) {
    int changes = (flags & (O_CREAT | O_TRUNC)) != 0 || (flags & O_ACCMODE) != O_RDONLY;
    const char *name = (flags & O_CREAT) != 0 ? "create" : "open";
    STEP(changes ? 'w' : 'r', name, AT(directory, path), syscall(SYS_openat, directory, path, flags, mode));
}

#define MODE(flags)                                                                                                     \
    mode_t mode = 0;                                                                                                    \
    if (((flags) & O_CREAT) != 0 || ((flags) & O_TMPFILE) == O_TMPFILE) {                                               \
        va_list list;                                                                                                   \
        va_start(list, flags);                                                                                          \
        mode = va_arg(list, mode_t);                                                                                    \
        va_end(list);                                                                                                   \
    }

int open(const char *path, int flags, ...) {
    MODE(flags)
    return open_step(AT_FDCWD, path, flags, mode);
}
int open64(const char *path, int flags, ...) {
    MODE(flags)
    return open_step(AT_FDCWD, path, flags, mode);
}
int openat(int directory, const char *path, int flags, ...) {
    MODE(flags)
    return open_step(directory, path, flags, mode);
}
int openat64(int directory, const char *path, int flags, ...) {
    MODE(flags)
    return open_step(directory, path, flags, mode);
}
int creat(const char *path, mode_t mode) { return open_step(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return open_step(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int __open_2(const char *path, int flags) { return open_step(AT_FDCWD, path, flags, 0); }
int __open64_2(const char *path, int flags) { return open_step(AT_FDCWD, path, flags, 0); }
int __openat_2(int directory, const char *path, int flags) { return open_step(directory, path, flags, 0); }
int __openat64_2(int directory, const char *path, int flags) { return open_step(directory, path, flags, 0); }

// The place of a rename is where the name goes; where that is none of ours, where it comes from.
int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags) {
    const char *name = flags == 1 ? "rename-noreplace" : flags == 2 ? "rename-exchange" : "rename";
    STEP('w', name, AT(to_folder, to) || AT(from_folder, from),
         syscall(SYS_renameat2, from_folder, from, to_folder, to, flags));
}
int renameat(int from_folder, const char *from, int to_folder, const char *to) {
    return renameat2(from_folder, from, to_folder, to, 0);
}
int rename(const char *from, const char *to) { return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0); }

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags) {
    STEP('w', "link", AT(to_folder, to), syscall(SYS_linkat, from_folder, from, to_folder, to, flags));
}
int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }

int symlinkat(const char *target, int folder, const char *name) {
    STEP('w', "symlink", AT(folder, name), syscall(SYS_symlinkat, target, folder, name));
}
int symlink(const char *target, const char *name) { return symlinkat(target, AT_FDCWD, name); }

int unlinkat(int folder, const char *name, int flags) {
    STEP('w', (flags & AT_REMOVEDIR) != 0 ? "rmdir" : "unlink", AT(folder, name),
         syscall(SYS_unlinkat, folder, name, flags));
}
int unlink(const char *name) { return unlinkat(AT_FDCWD, name, 0); }
int rmdir(const char *name) { return unlinkat(AT_FDCWD, name, AT_REMOVEDIR); }

int mkdirat(int folder, const char *name, mode_t mode) {
    STEP('w', "mkdir", AT(folder, name), syscall(SYS_mkdirat, folder, name, mode));
}
int mkdir(const char *name, mode_t mode) { return mkdirat(AT_FDCWD, name, mode); }

int fchmodat(int folder, const char *name, mode_t mode, int flags) {
    NEXT(fchmodat);
    STEP('w', "fchmodat", AT(folder, name), next(folder, name, mode, flags));
}
int chmod(const char *name, mode_t mode) {
    STEP('w', "fchmodat", AT(AT_FDCWD, name), syscall(SYS_chmod, name, mode));
}
int fchownat(int folder, const char *name, uid_t user, gid_t group, int flags) {
    STEP('w', "fchownat", AT(folder, name), syscall(SYS_fchownat, folder, name, user, group, flags));
}
// Without a name, the descriptor itself. The declared utimensat() may not be asked for that, the kernel may.
static int change_times(int folder, const char *volatile name, const struct timespec times[2], int flags) {
    STEP('w', "utimensat", name == NULL ? ON(folder) : AT(folder, name),
         syscall(SYS_utimensat, folder, name, times, flags));
}
int utimensat(int folder, const char *name, const struct timespec times[2], int flags) {
    return change_times(folder, name, times, flags);
}
int futimens(int file, const struct timespec times[2]) { return change_times(file, NULL, times, 0); }

int statvfs(const char *path, struct statvfs *status) {
    NEXT(statvfs);
    STEP('r', "statvfs", AT(AT_FDCWD, path), next(path, status));
}
int statvfs64(const char *path, struct statvfs64 *status) { return statvfs(path, (struct statvfs *)status); }

DIR *fdopendir(int file) {
    NEXT(fdopendir);
    STEP_AS(DIR *, NULL, 'r', "opendir", ON(file), (void)0, next(file));
}
struct dirent *readdir(DIR *stream) {
    NEXT(readdir);
    STEP_AS(struct dirent *, NULL, 'r', "readdir", ON(dirfd(stream)), (void)0, next(stream));
}
struct dirent64 *readdir64(DIR *stream) { return (struct dirent64 *)readdir(stream); }
