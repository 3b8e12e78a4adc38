// SPDX-License-Identifier: Apache-2.0

import Wording

/// What a client of this API can do about an error, in the API's own words. The engines that throw the errors know no
/// routes and no fields; the command line has hints of its own.
enum ProblemHint {
    /// - Parameters:
    ///   - code: a `CodedError`'s.
    ///   - backup: the backup that the error or the task is about.
    static func of(_ code: String, backup: String? = nil) -> BilingualText? {
        switch code {
        case "no-such-backup":
            BilingualText(zh: "用 GET /backups 查看可用的备份。", en: " GET /backups lists those there are.")
        case "no-such-task":
            BilingualText(zh: "用 GET /tasks 查看现有任务。", en: " GET /tasks lists those there are.")
        case "newer-data", "schema-older", "schema-differs":
            BilingualText(
                zh: "确定要恢复时，在请求中设置 \"force\": true。",
                en: " To restore all the same, set \"force\": true in the request.")
        case "marked-corrupt":
            backup.map {
                BilingualText(zh: "重新校验：POST /backups/\($0)/verify。", en: " To verify it: POST /backups/\($0)/verify.")
            }
        case "already-requested":
            BilingualText(
                zh: "用 GET /tasks/{id} 查看进度，POST /tasks/{id}/cancel 取消。",
                en: " GET /tasks/{id} shows how far it is, POST /tasks/{id}/cancel cancels it.")
        default: nil
        }
    }
}
