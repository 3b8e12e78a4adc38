// SPDX-License-Identifier: Apache-2.0

import CSQLite

/// The library that is in use.
package enum SQLiteLibrary {
    /// 3040001 for 3.40.1 (sqlite.org/c3ref/libversion.html).
    package static var version: Int { Int(sqlite3_libversion_number()) }
    package static var versionText: String { String(cString: sqlite3_libversion()) }
}
