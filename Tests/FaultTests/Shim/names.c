// SPDX-License-Identifier: Apache-2.0
// Calls that work on names: open, rename, link, unlink, mkdir, attributes, listing.
#define _GNU_SOURCE
#include "faults.h"

#include <dirent.h>
#include <errno.h>
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

// A call on names, for which "short" means nothing.
#define STEP(kind, name, ours, place, call)                                                                             \
    do {                                                                                                                \
        if (!(ours)) return call;                                                                                       \
        struct fault fault = fault_step(kind, name, place, 0);                                                          \
        if (fault.action == FAULT_ERROR) {                                                                              \
            errno = fault.code;                                                                                         \
            return -1;                                                                                                  \
        }                                                                                                               \
        int result = (int)call;                                                                                         \
        fault_after(fault, 0);                                                                                          \
        return result;                                                                                                  \
    } while (0)

// Opening: by syscall, since the many names of it (open64, openat64, creat, __open_2 …) do one thing.
static int open_step(int directory, const char *path, int flags, mode_t mode) {
    char place[PLACE_SIZE];
    int changes = (flags & (O_CREAT | O_TRUNC)) != 0 || (flags & O_ACCMODE) != O_RDONLY;
    const char *name = (flags & O_CREAT) != 0 ? "create" : "open";
    STEP(changes ? 'w' : 'r', name, fault_place_of_path(directory, path, place), place,
         syscall(SYS_openat, directory, path, flags, mode));
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
    char place[PLACE_SIZE];
    const char *name = flags == 1 ? "rename-noreplace" : flags == 2 ? "rename-exchange" : "rename";
    STEP('w', name, fault_place_of_path(to_folder, to, place) || fault_place_of_path(from_folder, from, place), place,
         syscall(SYS_renameat2, from_folder, from, to_folder, to, flags));
}
int renameat(int from_folder, const char *from, int to_folder, const char *to) {
    return renameat2(from_folder, from, to_folder, to, 0);
}
int rename(const char *from, const char *to) { return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0); }

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags) {
    char place[PLACE_SIZE];
    STEP('w', "link", fault_place_of_path(to_folder, to, place), place,
         syscall(SYS_linkat, from_folder, from, to_folder, to, flags));
}
int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }

int symlinkat(const char *target, int folder, const char *name) {
    char place[PLACE_SIZE];
    STEP('w', "symlink", fault_place_of_path(folder, name, place), place, syscall(SYS_symlinkat, target, folder, name));
}
int symlink(const char *target, const char *name) { return symlinkat(target, AT_FDCWD, name); }

int unlinkat(int folder, const char *name, int flags) {
    char place[PLACE_SIZE];
    STEP('w', (flags & AT_REMOVEDIR) != 0 ? "rmdir" : "unlink", fault_place_of_path(folder, name, place), place,
         syscall(SYS_unlinkat, folder, name, flags));
}
int unlink(const char *name) { return unlinkat(AT_FDCWD, name, 0); }
int rmdir(const char *name) { return unlinkat(AT_FDCWD, name, AT_REMOVEDIR); }

int mkdirat(int folder, const char *name, mode_t mode) {
    char place[PLACE_SIZE];
    STEP('w', "mkdir", fault_place_of_path(folder, name, place), place, syscall(SYS_mkdirat, folder, name, mode));
}
int mkdir(const char *name, mode_t mode) { return mkdirat(AT_FDCWD, name, mode); }

int fchmodat(int folder, const char *name, mode_t mode, int flags) {
    static int (*next)(int, const char *, mode_t, int);
    char place[PLACE_SIZE];
    if (next == NULL) next = (int (*)(int, const char *, mode_t, int))fault_next("fchmodat");
    STEP('w', "fchmodat", fault_place_of_path(folder, name, place), place, next(folder, name, mode, flags));
}
int chmod(const char *name, mode_t mode) {
    char place[PLACE_SIZE];
    STEP('w', "fchmodat", fault_place_of_path(AT_FDCWD, name, place), place, syscall(SYS_chmod, name, mode));
}
int fchownat(int folder, const char *name, uid_t user, gid_t group, int flags) {
    char place[PLACE_SIZE];
    STEP('w', "fchownat", fault_place_of_path(folder, name, place), place,
         syscall(SYS_fchownat, folder, name, user, group, flags));
}
// Without a name, the descriptor itself. The declared utimensat() may not be asked for that, the kernel may.
static int change_times(int folder, const char *volatile name, const struct timespec times[2], int flags) {
    char place[PLACE_SIZE];
    STEP('w', "utimensat", name == NULL ? fault_place_of_descriptor(folder, place) : fault_place_of_path(folder, name, place),
         place, syscall(SYS_utimensat, folder, name, times, flags));
}
int utimensat(int folder, const char *name, const struct timespec times[2], int flags) {
    return change_times(folder, name, times, flags);
}
int futimens(int file, const struct timespec times[2]) { return change_times(file, NULL, times, 0); }

int statvfs(const char *path, struct statvfs *status) {
    static int (*next)(const char *, struct statvfs *);
    char place[PLACE_SIZE];
    if (next == NULL) next = (int (*)(const char *, struct statvfs *))fault_next("statvfs");
    STEP('r', "statvfs", fault_place_of_path(AT_FDCWD, path, place), place, next(path, status));
}
int statvfs64(const char *path, struct statvfs64 *status) { return statvfs(path, (struct statvfs *)status); }

DIR *fdopendir(int file) {
    static DIR *(*next)(int);
    char place[PLACE_SIZE];
    if (next == NULL) next = (DIR * (*)(int)) fault_next("fdopendir");
    if (!fault_place_of_descriptor(file, place)) return next(file);
    struct fault fault = fault_step('r', "opendir", place, 0);
    if (fault.action == FAULT_ERROR) {
        errno = fault.code;
        return NULL;
    }
    DIR *stream = next(file);
    fault_after(fault, 0);
    return stream;
}

struct dirent *readdir(DIR *stream) {
    static struct dirent *(*next)(DIR *);
    char place[PLACE_SIZE];
    if (next == NULL) next = (struct dirent * (*)(DIR *)) fault_next("readdir");
    if (!fault_place_of_descriptor(dirfd(stream), place)) return next(stream);
    struct fault fault = fault_step('r', "readdir", place, 0);
    if (fault.action == FAULT_ERROR) {
        errno = fault.code;
        return NULL;
    }
    struct dirent *entry = next(stream);
    fault_after(fault, 0);
    return entry;
}
struct dirent64 *readdir64(DIR *stream) { return (struct dirent64 *)readdir(stream); }

