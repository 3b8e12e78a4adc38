// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <libpq-fe.h>

// Character macros, which Swift does not import.
enum {
    cpostgres_diag_sqlstate = PG_DIAG_SQLSTATE,
    cpostgres_diag_primary = PG_DIAG_MESSAGE_PRIMARY,
    cpostgres_diag_detail = PG_DIAG_MESSAGE_DETAIL,
    cpostgres_diag_hint = PG_DIAG_MESSAGE_HINT,
    cpostgres_diag_severity = PG_DIAG_SEVERITY_NONLOCALIZED,
};
