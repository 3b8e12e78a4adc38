// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <sqlite3.h>

// SQLITE_TRANSIENT is a cast that Swift does not import: SQLite copies what is bound.
static inline int csqlite_bind_text(sqlite3_stmt *statement, int index, const void *bytes, sqlite3_uint64 length) {
    return sqlite3_bind_text64(statement, index, bytes, length, SQLITE_TRANSIENT, SQLITE_UTF8);
}

static inline int csqlite_bind_blob(sqlite3_stmt *statement, int index, const void *bytes, sqlite3_uint64 length) {
    // Without bytes it would be NULL.
    if (length == 0) return sqlite3_bind_zeroblob(statement, index, 0);
    return sqlite3_bind_blob64(statement, index, bytes, length, SQLITE_TRANSIENT);
}

// sqlite3_db_config takes what follows as varargs, which Swift does not see. What a file of others' makes in its schema is
// not trusted, and its tables of SQLite's own are not written to (sqlite.org/security.html).
static inline int csqlite_distrust(sqlite3 *database) {
    int code = sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)0);
    if (code != SQLITE_OK) return code;
    return sqlite3_db_config(database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, (int *)0);
}

// Whether the file that is open has another name now, or none (SQLITE_FCNTL_HAS_MOVED).
static inline int csqlite_has_moved(sqlite3 *database, const char *schema, int *moved) {
    return sqlite3_file_control(database, schema, SQLITE_FCNTL_HAS_MOVED, moved);
}

// Whether somebody has begun to write (RESERVED, sqlite.org/lockingv3.html). Asked of SQLite's own descriptor: closing
// one more of the file would drop every lock that this process has on it.
static inline int csqlite_is_reserved(sqlite3 *database, const char *schema, int *reserved) {
    sqlite3_file *file = 0;
    int code = sqlite3_file_control(database, schema, SQLITE_FCNTL_FILE_POINTER, &file);
    if (code != SQLITE_OK) return code;
    if (!file || !file->pMethods) return SQLITE_MISUSE;
    return file->pMethods->xCheckReservedLock(file, reserved);
}
