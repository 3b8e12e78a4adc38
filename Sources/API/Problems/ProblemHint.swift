// SPDX-License-Identifier: Apache-2.0

import Service
import Wording

/// What a client of this API can do about an error, in the API's own words. The engines that throw the errors know no
/// routes and no fields; the command line has words of its own.
enum ProblemHint {
    /// - Returns: an empty text where there is nothing to say.
    static func of(_ remedy: Remedy?) -> BilingualText {
        switch remedy {
        case .listBackups:
            BilingualText(zh: "用 GET /backups 查看可用的备份。", en: " GET /backups lists those there are.")
        case .listTasks:
            BilingualText(zh: "用 GET /tasks 查看现有任务。", en: " GET /tasks lists those there are.")
        case .force:
            BilingualText(
                zh: "确定要恢复时，在请求中设置 \"force\": true。",
                en: " To restore all the same, set \"force\": true in the request.")
        case .skipBackup:
            BilingualText(
                zh: "不需要事先备份时，在请求中设置 \"backup_first\": false。",
                en: " To go on without that backup, set \"backup_first\": false in the request.")
        case .verify(let backup):
            BilingualText(
                zh: "重新校验：POST /backups/\(backup)/verify。", en: " To verify it: POST /backups/\(backup)/verify.")
        case .follow(let task):
            BilingualText(
                zh: "用 GET /tasks/\(task) 查看进度，POST /tasks/\(task)/cancel 取消。",
                en: " GET /tasks/\(task) shows how far it is, POST /tasks/\(task)/cancel cancels it.")
        // No route shows what is in a backup, and none waits.
        case .listContents, .waitLonger, nil: BilingualText.empty
        }
    }
}
