// SPDX-License-Identifier: Apache-2.0
// What every call does that this library stands in front of. Each is a row: what it is, where it works, how it is made.
#ifndef STEPS_H
#define STEPS_H

#include "faults.h"

#include <errno.h>

// Where a call works; `place` is the caller's in STEP and its kin.
#define ON(descriptor) fault_place_of_descriptor(descriptor, place)
#define AT(folder, name) fault_place_of_path(folder, name, place)

// The body of a call of `type` that answers `refused` with an errno. `shorten` is what "short" does to it.
#define STEP_AS(type, refused, kind, name, where, shorten, call)                                                        \
    do {                                                                                                                \
        char place[PLACE_SIZE];                                                                                         \
        if (!(where)) return (type)call;                                                                                \
        struct fault fault = fault_step(kind, name, place, 0);                                                          \
        if (fault.action == FAULT_ERROR) {                                                                              \
            errno = fault.code;                                                                                         \
            return refused;                                                                                             \
        }                                                                                                               \
        if (fault.action == FAULT_SHORT) shorten;                                                                       \
        type result = (type)call;                                                                                       \
        fault_after(fault, 0);                                                                                          \
        return result;                                                                                                  \
    } while (0)

// A call whose answer is yes or no.
#define STEP(kind, name, where, call) STEP_AS(int, -1, kind, name, where, (void)0, call)

// A call that moves `size` bytes and may move fewer. Half of them is what a signal or a full disk leaves.
#define MOVE(kind, name, file, size, call)                                                                              \
    STEP_AS(ssize_t, -1, kind, name, ON(file), if (size > 1) size /= 2, call)

// `next` is the function that stands behind this one.
#define NEXT(function)                                                                                                  \
    static __typeof__(&function) next;                                                                                  \
    if (next == NULL) next = (__typeof__(&function))fault_next(#function)

#endif
