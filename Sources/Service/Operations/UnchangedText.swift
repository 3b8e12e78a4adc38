// SPDX-License-Identifier: Apache-2.0

import Backup
import SystemIO
import Wording

/// Whether the bytes of a new backup were read. Another name of the one before is as good as that was when somebody read it,
/// and says so.
enum UnchangedText {
    static func of(_ unchanged: BackupOutcome.Unchanged?) -> BilingualText {
        guard let unchanged else { return BilingualText(zh: "已校验", en: "verified") }
        let since = BilingualText(
            zh: "自 \(unchanged.since) 以来未改变，", en: "unchanged since \(unchanged.since), whose bytes were ")
        guard let read = unchanged.lastRead else {
            return since + BilingualText(zh: "其内容何时读取校验过不详", en: "last read nobody knows when")
        }
        return since + BilingualText(zh: "其内容上次读取校验于 \(read.iso)", en: "last read \(read.iso)")
    }
}
