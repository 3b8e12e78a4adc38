// SPDX-License-Identifier: Apache-2.0
// The statements that the program sends to PostgreSQL. Declared by hand, so that libpq's headers are not needed.
#define _GNU_SOURCE
#include "steps.h"

#include <stdio.h>

typedef struct pg_conn PGconn;
typedef struct pg_result PGresult;
typedef unsigned Oid;

// A program without libpq has no statements, and this library must load into it all the same.
extern int PQbackendPID(const PGconn *) __attribute__((weak));

// One line, and no longer than what tells one statement from the next.
static void place_of(const char *text, char place[PLACE_SIZE]) {
    size_t length = 0;
    for (; *text != 0 && length < 200; text++) {
        char byte = *text == '\n' || *text == '\t' ? ' ' : *text;
        if (byte == ' ' && length > 0 && place[length - 1] == ' ') continue;
        place[length++] = byte;
    }
    place[length] = 0;
}

#define STATEMENT(call)                                                                                                 \
    char place[PLACE_SIZE];                                                                                             \
    int session = PQbackendPID != NULL ? PQbackendPID(session_of) : 0;                                                  \
    place_of(text, place);                                                                                              \
    struct fault fault = fault_step('q', "statement", place, session);                                                  \
    result = call;                                                                                                      \
    fault_after(fault, session);                                                                                        \
    return result;

int PQsendQueryParams(PGconn *session_of, const char *text, int count, const Oid *types, const char *const *values,
                      const int *lengths, const int *formats, int result_format) {
    int result;
    NEXT(PQsendQueryParams);
    STATEMENT(next(session_of, text, count, types, values, lengths, formats, result_format))
}

int PQsendQuery(PGconn *session_of, const char *text) {
    int result;
    NEXT(PQsendQuery);
    STATEMENT(next(session_of, text))
}

PGresult *PQexec(PGconn *session_of, const char *text) {
    PGresult *result;
    NEXT(PQexec);
    STATEMENT(next(session_of, text))
}

PGresult *PQexecParams(PGconn *session_of, const char *text, int count, const Oid *types, const char *const *values,
                       const int *lengths, const int *formats, int result_format) {
    PGresult *result;
    NEXT(PQexecParams);
    STATEMENT(next(session_of, text, count, types, values, lengths, formats, result_format))
}
