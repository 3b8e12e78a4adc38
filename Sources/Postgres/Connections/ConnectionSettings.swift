// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// Where a database is and who we are there.
package struct ConnectionSettings: Sendable, Equatable {
    /// A host name, an address, or the folder of a Unix socket (then it starts with a slash).
    package let host: String
    package let port: Int
    package let user: String
    package let password: Secret
    package let database: String
    /// Where sessions go that make, rename and drop databases, and where the stack's lock is: advisory locks are per
    /// database, so all services of one stack must name the same one.
    package let maintenanceDatabase: String
    /// Seconds for which a statement of ours waits for other sessions before it gives up and names them.
    package let patience: Double

    /// Where MLflow's tables are, where a person says so; `nil` for where they are found.
    package let schema: String?

    package init(
        host: String, port: Int = 5432, user: String, password: Secret, database: String,
        maintenanceDatabase: String = "postgres", patience: Double = 60, schema: String? = nil
    ) {
        self.patience = patience
        self.maintenanceDatabase = maintenanceDatabase
        self.host = host
        self.port = port
        self.user = user
        self.password = password
        self.database = database
        self.schema = schema
    }

    /// The same server and role, another database.
    package func naming(database: String) -> ConnectionSettings {
        ConnectionSettings(
            host: host, port: port, user: user, password: password, database: database,
            maintenanceDatabase: maintenanceDatabase, patience: patience, schema: schema)
    }

    /// The same database, with other patience.
    package func waiting(atMost seconds: Double) -> ConnectionSettings {
        ConnectionSettings(
            host: host, port: port, user: user, password: password, database: database,
            maintenanceDatabase: maintenanceDatabase, patience: seconds, schema: schema)
    }
}
