// SPDX-License-Identifier: Apache-2.0

import Wording

extension PostgresError: CodedError {
    package var errorCode: String {
        switch self {
        case .unreachable: "database-unreachable"
        case .authenticationFailed: "database-login-refused"
        case .notSecured: "database-not-secured"
        case .databaseMissing: "database-missing"
        case .databaseExists: "database-exists"
        case .tooManyConnections: "database-connections-exhausted"
        case .diskFull: "database-disk-full"
        case .insufficientPrivilege: "database-privilege-missing"
        case .mayNotCreateDatabases: "may-not-create-databases"
        case .databaseNotOwned: "database-not-owned"
        case .tablesNotLockable: "table-privileges-missing"
        case .databaseNotReadable: "database-not-readable"
        case .needsSuperuser: "needs-superuser"
        case .extensionsUnavailable: "extensions-unavailable"
        case .serverReadOnly: "server-read-only"
        case .connectionLost: "database-connection-lost"
        case .databaseInUse: "database-in-use"
        case .stackBusy: "busy"
        case .pooled: "pooled-connection"
        case .maintenanceDatabaseNotUsable: "maintenance-database-not-usable"
        case .preparedTransactions: "prepared-transactions"
        case .tablesInUse: "tables-in-use"
        case .processStuck: "database-process-stuck"
        case .workUnfinished: "database-work-unfinished"
        case .maintenanceDatabaseDiffers: "maintenance-database-differs"
        case .query: "database-error"
        case .nulByte: "nul-byte"
        case .unexpectedValue: "unexpected-value"
        case .toolMissing: "tool-missing"
        case .toolTooOld: "tool-too-old"
        case .toolTooNew: "tool-too-new"
        case .dumpTooNew: "dump-too-new"
        case .toolFailed: "tool-failed"
        case .passwordNotExpressible: "password-not-expressible"
        }
    }

    package var failureKind: FailureKind {
        switch self {
        case .diskFull: .noRoom
        case .stackBusy: .busy
        default: .unavailable
        }
    }
}
