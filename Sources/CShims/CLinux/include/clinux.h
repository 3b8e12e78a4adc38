// SPDX-License-Identifier: Apache-2.0
// Linux calls that Swift cannot reach: varargs, macros, and the window between fork and exec.
#pragma once

#include <stddef.h>
#include <signal.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/xattr.h>

/// Starts a child with exactly three descriptors. It gets its own process group, default signals, and dies with
/// the thread that started it (PR_SET_PDEATHSIG), so the caller waits on that same thread.
/// Returns 0 and sets *pid, or the errno of whatever failed, execve included.
int clinux_spawn(const char *path, char *const argv[], char *const envp[], const char *directory,
                 int input, int output, int error, pid_t *pid);

int clinux_open(int directory, const char *path, int flags, mode_t mode);
int clinux_rename_noreplace(int from_directory, const char *from, int to_directory, const char *to);
int clinux_rename_exchange(int from_directory, const char *from, int to_directory, const char *to);
int clinux_clone_range(int from, uint64_t from_offset, uint64_t length, int to, uint64_t to_offset);
// Bytes of the file's extents that no other file shares; -1 where the file system cannot tell.
int64_t clinux_unshared_bytes(int descriptor);
/// accept4(2) with SOCK_CLOEXEC and SOCK_NONBLOCK. `address` is a sockaddr_storage. Returns the descriptor, or -1 with errno.
int clinux_accept(int listener, void *address);
/// Bytes that the peer has acknowledged (tcp(7), TCP_INFO, `tcpi_bytes_acked`; Linux 4.1). -1 with errno.
int clinux_tcp_acknowledged(int socket, uint64_t *bytes);
/// Bytes that were sent and are not acknowledged, or not sent yet (tcp(7), SIOCOUTQ). -1 with errno.
int clinux_tcp_unacknowledged(int socket);
/// Whether the peer has closed the connection, or its side of it (poll(2), POLLRDHUP): 1 or 0.
int clinux_peer_has_left(int socket);
int clinux_pipe(int ends[2]);
int clinux_signalfd(const sigset_t *signals);
/// Reads one signal: its number, and in *value what sigqueue(3) sent with it, 0 for others; -1 with errno.
int clinux_next_signal(int descriptor, int *value);
int clinux_sigqueue(pid_t process, int signal, int value);
int clinux_syncfs(int descriptor);
int clinux_set_low_io_priority(void);
int clinux_lower_priority(void);
void clinux_keep_heap_small(void);
void clinux_give_back_free_pages(void);
void clinux_give_back_stack(size_t kept, size_t bytes);
int clinux_thread_name(const char *name);
void clinux_syslog_open(const char *identity);
void clinux_syslog(int priority, const char *line);
int clinux_major(uint64_t device);
int clinux_minor(uint64_t device);
/// sync_file_range(SYNC_FILE_RANGE_WRITE): starts writing pages to disk without waiting for them.
int clinux_start_writeback(int descriptor, uint64_t offset, uint64_t length);
/// copy_file_range(2) with offsets of its own. Returns bytes copied, or -1.
ssize_t clinux_copy_range(int from, uint64_t from_offset, int to, uint64_t to_offset, size_t length);
/// The magic number of the file system (statfs(2) f_type), or 0.
uint64_t clinux_file_system_type(int descriptor);
/// The number of the file system, or of the subvolume of btrfs, that an open file is in (statfs(2) f_fsid): it stays what it is
/// across mounts. -1 with errno.
int clinux_volume(int descriptor, uint64_t *number);
/// O_DIRECT, which glibc shows with _GNU_SOURCE only.
int clinux_o_direct(void);
int clinux_o_path(void);
/// When the file was made, statx(2) `stx_btime`, symbolic links not followed. -1 where the file system, or the kernel,
/// does not say.
int clinux_birth_time(const char *path, int64_t *seconds, uint32_t *nanoseconds);
/// The number of the mount that an open file is on (statx(2) STATX_MNT_ID). -1 where the kernel does not say.
int clinux_mount_number(int descriptor, uint64_t *number);
/// Whether a name in a folder is immutable or append-only (chattr(1)), symbolic links not followed: 1 or 0; -1 with errno.
int clinux_is_frozen(const char *path);
