// SPDX-License-Identifier: Apache-2.0

import Backup
import SystemIO
import Wording

/// What a person is told who accepted a backup.
package enum AcceptedText {
    package static func of(_ item: CatalogueItem, now: LocalTime = .now()) -> BilingualText {
        guard item.created <= now else {
            return BilingualText(
                zh: "备份 \(item.name) 已接受；但它的日期在未来，在那之前不作为以后备份的标准",
                en:
                    "The backup \(item.name) has been accepted; it is dated in the future, and until then it is no measure "
                    + "for others")
        }
        return BilingualText(
            zh: "备份 \(item.name) 已接受，以后的备份以它为准",
            en: "The backup \(item.name) has been accepted, and those after it are measured by it")
    }
}
