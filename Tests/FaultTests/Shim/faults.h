// SPDX-License-Identifier: Apache-2.0
// Faults on order, for one process: LD_PRELOAD this into the program under test.
//
// Every call that touches one of the folders under test is a step. A step can be counted, refused with an errno, cut short, or
// be the one at which the process kills itself. Which one is told by the environment:
//
//   FAULT_UNDER   LABEL=FOLDER[:LABEL=FOLDER…]  the folders; all else is passed on untouched
//   FAULT_TRACE   a file that gets one line for each step: CLASS, CALL, PLACE (tab between)
//   FAULT_CLASS   of what the steps are counted: w (changes), r (reads), q (SQL statements)
//   FAULT_CALL    … and only those of this name
//   FAULT_PLACE   … and only those whose place (LABEL/path, or the statement) matches this pattern
//   FAULT_AT      the number of the step, from 1
//   FAULT_DO      error:ERRNO  short  kill-before  kill-after  ask-before  ask-after
//   FAULT_FROM    set: from that step on, as a disk that has died
//   FAULT_HIT     a file that is made when the step was reached
//   FAULT_CLOCK   seconds by which the program's clock is off
//   FAULT_ASK     a file; "ask" writes the server's pid of the session into it and waits until FAULT_ASK.done is there
#ifndef FAULTS_H
#define FAULTS_H

#include <stddef.h>
#include <sys/types.h>

#define PLACE_SIZE 8192

// What a step is to do.
enum fault_action { FAULT_PASS, FAULT_ERROR, FAULT_SHORT, FAULT_KILL_AFTER, FAULT_ASK_AFTER };

struct fault {
    enum fault_action action;
    int code;
};

// Where a path is, as LABEL/rest. Both return 0 for what is none of ours.
int fault_place_of_path(int directory, const char *path, char place[PLACE_SIZE]);
int fault_place_of_descriptor(int descriptor, char place[PLACE_SIZE]);

// Counts a step. `kind` is 'w', 'r' or 'q'. Does not return where the process is to die before the call.
struct fault fault_step(char kind, const char *call, const char *place, int session);

// After the call was made.
void fault_after(struct fault fault, int session);

// The function that this library stands in front of.
void *fault_next(const char *name);

#endif
