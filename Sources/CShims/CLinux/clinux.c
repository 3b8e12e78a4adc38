// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "clinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <malloc.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

// Only async-signal-safe calls are allowed here: other threads of the parent may hold any lock.
static _Noreturn void run_child(const char *path, char *const argv[], char *const envp[], const char *directory,
                                int input, int output, int error, int report, pid_t parent) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127); // the parent died before prctl took effect
    setpgid(0, 0);
    struct sigaction plain = {.sa_handler = SIG_DFL};
    for (int number = 1; number < 32; number++) sigaction(number, &plain, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);

    // Moved out of 0..2 first, so that one dup2 cannot overwrite the source of the next.
    int in = fcntl(input, F_DUPFD_CLOEXEC, 3), out = fcntl(output, F_DUPFD_CLOEXEC, 3),
        err = fcntl(error, F_DUPFD_CLOEXEC, 3);
    if (in < 0 || out < 0 || err < 0) goto failed;
    if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0) goto failed;
    // Descriptors that a library opened without O_CLOEXEC must not leak either. Old kernels: best effort.
    syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC);
    if (directory != NULL && chdir(directory) != 0) goto failed;
    execve(path, argv, envp);
failed:;
    int code = errno;
    ssize_t ignored = write(report, &code, sizeof code);
    (void)ignored;
    _exit(127);
}

int clinux_spawn(const char *path, char *const argv[], char *const envp[], const char *directory, int input,
                 int output, int error, pid_t *pid) {
    int report[2];
    if (pipe2(report, O_CLOEXEC) != 0) return errno;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t parent = getpid();
    // Not fork(), which copies the page tables of a service that holds much. Until the child has become the program, or
    // ended, this thread stands still, and it alone.
    pid_t child = vfork();
    int fork_error = errno;
    if (child == 0) run_child(path, argv, envp, directory, input, output, error, report[1], parent);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(report[1]);
    if (child < 0) {
        close(report[0]);
        return fork_error;
    }
    int code = 0;
    ssize_t got;
    do got = read(report[0], &code, sizeof code);
    while (got < 0 && errno == EINTR);
    close(report[0]);
    if (got == (ssize_t)sizeof code) {
        waitpid(child, NULL, 0);
        return code;
    }
    *pid = child;
    return 0;
}

int clinux_open(int directory, const char *path, int flags, mode_t mode) {
    return openat(directory, path, flags, mode);
}

int clinux_rename_noreplace(int from_directory, const char *from, int to_directory, const char *to) {
    return renameat2(from_directory, from, to_directory, to, RENAME_NOREPLACE);
}

int clinux_rename_exchange(int from_directory, const char *from, int to_directory, const char *to) {
    return renameat2(from_directory, from, to_directory, to, RENAME_EXCHANGE);
}

int clinux_clone_range(int from, uint64_t from_offset, uint64_t length, int to, uint64_t to_offset) {
    struct file_clone_range range = {
        .src_fd = from, .src_offset = from_offset, .src_length = length, .dest_offset = to_offset};
    return ioctl(to, FICLONERANGE, &range);
}

int64_t clinux_unshared_bytes(int descriptor) {
    enum { extents = 128 };
    union {
        struct fiemap map;
        char room[sizeof(struct fiemap) + extents * sizeof(struct fiemap_extent)];
    } answer;
    uint64_t start = 0;
    int64_t bytes = 0;
    for (;;) {
        memset(&answer.map, 0, sizeof answer.map);
        answer.map.fm_start = start;
        answer.map.fm_length = FIEMAP_MAX_OFFSET - start;
        answer.map.fm_extent_count = extents;
        if (ioctl(descriptor, FS_IOC_FIEMAP, &answer.map) != 0) return -1;
        for (uint32_t number = 0; number < answer.map.fm_mapped_extents; number++) {
            const struct fiemap_extent *extent = &answer.map.fm_extents[number];
            if (!(extent->fe_flags & FIEMAP_EXTENT_SHARED)) bytes += (int64_t)extent->fe_length;
            if (extent->fe_flags & FIEMAP_EXTENT_LAST) return bytes;
            start = extent->fe_logical + extent->fe_length;
        }
        if (answer.map.fm_mapped_extents == 0) return bytes;
    }
}

int clinux_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

int clinux_signalfd(const sigset_t *signals) { return signalfd(-1, signals, SFD_CLOEXEC); }

int clinux_next_signal(int descriptor, int *value) {
    struct signalfd_siginfo record;
    ssize_t count = read(descriptor, &record, sizeof record);
    if (count != (ssize_t)sizeof record) return -1;
    *value = record.ssi_code == SI_QUEUE ? record.ssi_int : 0;
    return (int)record.ssi_signo;
}

int clinux_sigqueue(pid_t process, int signal, int value) {
    union sigval sent = {.sival_int = value};
    return sigqueue(process, signal, sent);
}

int clinux_syncfs(int descriptor) { return syncfs(descriptor); }

void clinux_keep_heap_small(void)
{
    mallopt(M_ARENA_MAX, 2);
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
}

void clinux_give_back_free_pages(void) { malloc_trim(0); }

void clinux_give_back_stack(size_t kept, size_t bytes)
{
    // Below this frame nothing lives: a stack grows downwards.
    uintptr_t end = ((uintptr_t)__builtin_frame_address(0) - kept) & ~(uintptr_t)4095;
    bytes &= ~(size_t)4095;
    madvise((void *)(end - bytes), bytes, MADV_DONTNEED);
}

int clinux_lower_priority(void) { return setpriority(PRIO_PROCESS, 0, 10); }

int clinux_set_low_io_priority(void) {
    // ioprio_set(IOPRIO_WHO_PROCESS, this thread, best effort class, lowest level); glibc has no wrapper.
    return (int)syscall(SYS_ioprio_set, 1, 0, (2 << 13) | 7);
}

int clinux_thread_name(const char *name) { return pthread_setname_np(pthread_self(), name); }

void clinux_syslog_open(const char *identity) { openlog(identity, LOG_PID, LOG_DAEMON); }

void clinux_syslog(int priority, const char *line) { syslog(priority, "%s", line); }

int clinux_major(uint64_t device) { return (int)major(device); }

int clinux_minor(uint64_t device) { return (int)minor(device); }

int clinux_start_writeback(int descriptor, uint64_t offset, uint64_t length) {
    return sync_file_range(descriptor, (off64_t)offset, (off64_t)length, SYNC_FILE_RANGE_WRITE);
}

ssize_t clinux_copy_range(int from, uint64_t from_offset, int to, uint64_t to_offset, size_t length) {
    off64_t in = (off64_t)from_offset, out = (off64_t)to_offset;
    return copy_file_range(from, &in, to, &out, length, 0);
}

uint64_t clinux_file_system_type(int descriptor) {
    struct statfs status;
    return fstatfs(descriptor, &status) == 0 ? (uint64_t)status.f_type : 0;
}

int clinux_volume(int descriptor, uint64_t *number) {
    struct statfs status;
    if (fstatfs(descriptor, &status) != 0) return -1;
    memcpy(number, &status.f_fsid, sizeof *number);
    return 0;
}

int clinux_o_direct(void) { return O_DIRECT; }

int clinux_o_path(void) { return O_PATH; }

int clinux_birth_time(const char *path, int64_t *seconds, uint32_t *nanoseconds) {
    struct statx status;
    memset(&status, 0, sizeof status);
    if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BTIME, &status) != 0) return -1;
    if (!(status.stx_mask & STATX_BTIME)) return -1;
    *seconds = status.stx_btime.tv_sec;
    *nanoseconds = status.stx_btime.tv_nsec;
    return 0;
}

int clinux_mount_number(int descriptor, uint64_t *number) {
    struct statx status;
    memset(&status, 0, sizeof status);
    if (statx(descriptor, "", AT_EMPTY_PATH, STATX_MNT_ID, &status) != 0) return -1;
    if (!(status.stx_mask & STATX_MNT_ID)) return -1;
    *number = status.stx_mnt_id;
    return 0;
}

int clinux_is_frozen(const char *path) {
    struct statx status;
    memset(&status, 0, sizeof status);
    if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &status) != 0) return -1;
    return (status.stx_attributes & (STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND)) != 0;
}

int clinux_accept(int listener, void *address) {
    socklen_t length = sizeof(struct sockaddr_storage);
    return accept4(listener, address, &length, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

int clinux_tcp_acknowledged(int socket, uint64_t *bytes) {
    struct tcp_info info;
    socklen_t length = sizeof info;
    memset(&info, 0, sizeof info);
    if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return -1;
    *bytes = info.tcpi_bytes_acked;
    return 0;
}

int clinux_tcp_unacknowledged(int socket) {
    int bytes = 0;
    return ioctl(socket, SIOCOUTQ, &bytes) == 0 ? bytes : -1;
}

int clinux_peer_has_left(int socket) {
    struct pollfd watched = {.fd = socket, .events = POLLRDHUP};
    return poll(&watched, 1, 0) > 0;
}
