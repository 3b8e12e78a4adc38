// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "faults.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

// Own input and output goes by syscall(): it must not be counted, and must not run in a circle.
#define RAW(number, ...) syscall(SYS_##number, __VA_ARGS__)

struct folder {
    char label[64];
    char path[PATH_MAX];
    size_t length;
};

static struct folder folders[8];
static int folder_count;
static char wanted_kind;
static const char *wanted_call, *wanted_place, *action, *hit_file, *ask_file;
static long wanted_step, clock_offset;
static int from_there_on, trace = -1;
static pid_t owner;
static atomic_long steps;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void read_folders(const char *text) {
    while (text != NULL && *text != 0 && folder_count < 8) {
        const char *end = strchrnul(text, ':'), *equals = memchr(text, '=', (size_t)(end - text));
        if (equals != NULL) {
            struct folder *folder = &folders[folder_count];
            snprintf(folder->label, sizeof folder->label, "%.*s", (int)(equals - text), text);
            folder->length = (size_t)snprintf(folder->path, sizeof folder->path, "%.*s", (int)(end - equals - 1), equals + 1);
            folder_count++;
        }
        text = *end == ':' ? end + 1 : end;
    }
}

static void begin(void) {
    read_folders(getenv("FAULT_UNDER"));
    const char *kind = getenv("FAULT_CLASS"), *at = getenv("FAULT_AT"), *file = getenv("FAULT_TRACE");
    wanted_kind = kind != NULL ? kind[0] : 0;
    wanted_call = getenv("FAULT_CALL");
    wanted_place = getenv("FAULT_PLACE");
    wanted_step = at != NULL ? atol(at) : 0;
    action = getenv("FAULT_DO");
    from_there_on = getenv("FAULT_FROM") != NULL;
    hit_file = getenv("FAULT_HIT");
    ask_file = getenv("FAULT_ASK");
    const char *offset = getenv("FAULT_CLOCK");
    clock_offset = offset != NULL ? atol(offset) : 0;
    owner = getpid();
    if (file != NULL) trace = (int)RAW(openat, AT_FDCWD, file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

__attribute__((constructor)) static void begin_once(void) { pthread_once(&once, begin); }

void *fault_next(const char *name) {
    void *found = dlsym(RTLD_NEXT, name);
    // A missing one would otherwise be a jump to 0, far from its cause.
    if (found == NULL) {
        dprintf(2, "fault shim: no %s\n", name);
        abort();
    }
    return found;
}

static int place_of(const char *path, char place[PLACE_SIZE]) {
    for (int index = 0; index < folder_count; index++) {
        const struct folder *folder = &folders[index];
        if (strncmp(path, folder->path, folder->length) != 0) continue;
        if (path[folder->length] != 0 && path[folder->length] != '/') continue;
        snprintf(place, PLACE_SIZE, "%s%s", folder->label, path + folder->length);
        // One step is one line, whatever a hostile name holds.
        for (char *byte = place; *byte != 0; byte++)
            if (*byte == '\n' || *byte == '\t') *byte = '?';
        return 1;
    }
    return 0;
}

// The kernel knows where a descriptor leads, after renames and dup as well; a table of our own would have to learn it.
static int path_of_descriptor(int descriptor, char path[PLACE_SIZE]) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = RAW(readlinkat, AT_FDCWD, link, path, PLACE_SIZE - 1);
    if (length <= 0 || path[0] != '/') return 0;
    path[length] = 0;
    return 1;
}

int fault_place_of_descriptor(int descriptor, char place[PLACE_SIZE]) {
    char path[PLACE_SIZE];
    int before = errno, found = folder_count > 0 && path_of_descriptor(descriptor, path) && place_of(path, place);
    errno = before;
    return found;
}

int fault_place_of_path(int directory, const char *path, char place[PLACE_SIZE]) {
    char whole[PLACE_SIZE * 2], folder[PLACE_SIZE];
    if (folder_count == 0 || path == NULL) return 0;
    if (path[0] == '/') return place_of(path, place);
    int before = errno;
    if (directory == AT_FDCWD) {
        if (RAW(getcwd, folder, sizeof folder) <= 0) folder[0] = 0;
    } else if (!path_of_descriptor(directory, folder)) {
        folder[0] = 0;
    }
    errno = before;
    if (folder[0] == 0) return 0;
    if (path[0] == 0 || strcmp(path, ".") == 0) return place_of(folder, place);
    snprintf(whole, sizeof whole, "%s/%s", folder, path);
    return place_of(whole, place);
}

// The program's clock, for stamps of another day. Waiting goes by CLOCK_MONOTONIC, which stays as it is.
int clock_gettime(clockid_t clock, struct timespec *time) {
    int result = (int)RAW(clock_gettime, clock, time);
    if (result == 0 && clock == CLOCK_REALTIME) {
        pthread_once(&once, begin);
        time->tv_sec += clock_offset;
    }
    return result;
}

static void die(void) {
    RAW(kill, getpid(), SIGKILL);
    for (;;) pause();
}

static void note_hit(void) {
    if (hit_file == NULL) return;
    int file = (int)RAW(openat, AT_FDCWD, hit_file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (file >= 0) RAW(close, file);
}

// Somebody outside does what a library cannot, such as ending our session as its superuser, and answers with a file.
// Bounded: a helper that died must not hold the program for ever.
static void ask(int session) {
    char name[PATH_MAX], text[32];
    if (ask_file == NULL) return;
    snprintf(name, sizeof name, "%s.new", ask_file);
    int file = (int)RAW(openat, AT_FDCWD, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int length = snprintf(text, sizeof text, "%d\n", session);
    RAW(write, file, text, (size_t)length);
    RAW(close, file);
    RAW(renameat2, AT_FDCWD, name, AT_FDCWD, ask_file, 0);
    snprintf(name, sizeof name, "%s.done", ask_file);
    for (int round = 0; round < 10000; round++) {
        if (RAW(faccessat, AT_FDCWD, name, F_OK) == 0) return;
        struct timespec pause = {.tv_nsec = 2000000};
        nanosleep(&pause, NULL);
    }
}

struct fault fault_step(char kind, const char *call, const char *place, int session) {
    struct fault nothing = {FAULT_PASS, 0};
    pthread_once(&once, begin);
    // Between fork and exec of a child nothing is ours to count.
    if (getpid() != owner) return nothing;
    int before = errno;
    if (trace >= 0) {
        char line[PLACE_SIZE + 64];
        int length = snprintf(line, sizeof line, "%c\t%s\t%s\n", kind, call, place);
        if (length >= (int)sizeof line) length = (int)sizeof line - 1;
        RAW(write, trace, line, (size_t)length);
    }
    errno = before;
    if (wanted_step == 0 || action == NULL || kind != wanted_kind) return nothing;
    if (wanted_call != NULL && strcmp(call, wanted_call) != 0) return nothing;
    if (wanted_place != NULL && fnmatch(wanted_place, place, FNM_NOESCAPE) != 0) return nothing;
    long step = atomic_fetch_add(&steps, 1) + 1;
    if (step < wanted_step || (step > wanted_step && !from_there_on)) return nothing;
    note_hit();
    if (strcmp(action, "kill-before") == 0) die();
    if (strcmp(action, "kill-after") == 0) return (struct fault){FAULT_KILL_AFTER, 0};
    if (strcmp(action, "short") == 0) return (struct fault){FAULT_SHORT, 0};
    if (strcmp(action, "ask-after") == 0) return (struct fault){FAULT_ASK_AFTER, 0};
    if (strcmp(action, "ask-before") == 0) ask(session);
    if (strncmp(action, "error:", 6) == 0) return (struct fault){FAULT_ERROR, atoi(action + 6)};
    errno = before;
    return nothing;
}

void fault_after(struct fault fault, int session) {
    if (fault.action == FAULT_KILL_AFTER) die();
    int before = errno;
    if (fault.action == FAULT_ASK_AFTER) ask(session);
    errno = before;
}
