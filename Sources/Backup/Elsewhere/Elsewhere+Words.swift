// SPDX-License-Identifier: Apache-2.0

import MLflowStore
import SystemIO
import Wording

extension Elsewhere {
    /// When it is told.
    enum Moment { case backup, restore }

    /// One sentence or two for each kind of thing, with what to do.
    func notices(_ moment: Moment, artifacts: FilePath, keys verdicts: [ServerKey: KeyVerdict]) -> [BilingualText] {
        gaps(moment, artifacts: artifacts) + beside(moment, keys: verdicts)
    }

    /// Of artifacts that the database names and no backup holds.
    func gaps(_ moment: Moment, artifacts: FilePath) -> [BilingualText] {
        [placesNotice(moment), unseen.map { Self.notice($0, artifacts) }].compactMap { $0 }
    }

    /// Of all else.
    /// - Parameter verdicts: of the keys that were tried.
    func beside(_ moment: Moment, keys verdicts: [ServerKey: KeyVerdict]) -> [BilingualText] {
        secretsNotices(moment, verdicts) + [usersNotice(moment)].compactMap { $0 }
    }

    private func placesNotice(_ moment: Moment) -> BilingualText? {
        guard !places.isEmpty else { return nil }
        let shown = places.prefix(3)
        var list = Self.joined(shown.map(\.shownWords), zh: "；", en: "; ")
        // As many as a record says, which anybody may have written.
        let more = morePlaces.adding(clamped: places.count - shown.count)
        if more > 0 { list = list + BilingualText(zh: "；另有 \(more) 处", en: "; and \(more) more") }
        return switch moment {
        case .backup:
            BilingualText(zh: "备份不包含以下位置的 artifacts：", en: "Artifacts at these places are not in a backup: ") + list
                + BilingualText(
                    zh: "。请另行备份这些位置；备份好之后写入 ARTIFACT_ROOTS_IGNORED，备份就不再算作不完整。",
                    en:
                        ". Back these places up by themselves, and name them in ARTIFACT_ROOTS_IGNORED, so that backups are no longer partial."
                )
        case .restore:
            BilingualText(
                zh: "数据库引用的以下位置不在备份中，没有恢复：",
                en: "The database refers to places that no backup holds; nothing was brought back there: ")
                + list
                + BilingualText(zh: "。请确认那里的文件还在。", en: ". Make sure that the files are still there.")
        }
    }

    private static func notice(_ unseen: UnseenArtifacts, _ artifacts: FilePath) -> BilingualText {
        let numbers = unseen.experiments.map(\.shown).joined(separator: ", ")
        if unseen.isListed == true {
            return BilingualText(
                zh: "MLflow 服务器列出的 artifacts 目录中有 \(unseen.looked) 个（例如 \(numbers)）在 \(artifacts) 中不存在："
                    + "它的 artifacts-destination 是另一个位置，备份不包含它们。请检查 ARTIFACTS_DIR 和挂载，或另行备份那个位置，"
                    + "并把 mlflow-artifacts:/ 写入 ARTIFACT_ROOTS_IGNORED。",
                en:
                    "\(unseen.looked) of the folders that the MLflow server lists among its artifacts (such as \(numbers)) are not in "
                    + "\(artifacts): its artifacts-destination is another place, and no backup holds them. Check ARTIFACTS_DIR and the "
                    + "mounts, or back that place up by itself and name mlflow-artifacts:/ in ARTIFACT_ROOTS_IGNORED.")
        }
        return BilingualText(
            zh: "数据库中最新的 \(unseen.looked) 个应有文件的模型和运行（实验 \(numbers)）在 \(artifacts) 中都没有文件夹："
                + "MLflow 把文件存在这里看不到的位置（仅其容器挂载的卷，或另一个 artifacts-destination），备份不包含它们。"
                + "请检查 ARTIFACTS_DIR 和挂载，或另行备份那个位置。",
            en:
                "None of the newest \(unseen.looked) models and runs that must have files (experiments \(numbers)) has a folder in "
                + "\(artifacts): MLflow keeps their files where they are not seen from here (a volume that only its container mounts, or "
                + "another artifacts-destination), and no backup holds them. Check ARTIFACTS_DIR and the mounts, or back that place up by itself."
        )
    }

    /// Of each key what its verdict says, and of those that have none, or were not tried, that they are needed.
    private func secretsNotices(_ moment: Moment, _ verdicts: [ServerKey: KeyVerdict]) -> [BilingualText] {
        var untried: [ServerKey] = []
        var told: [BilingualText] = []
        for key in ServerKey.allCases where rows(of: key) > 0 {
            if let notice = verdicts[key]?.notice(moment, key.setting, words(key)) {
                told.append(notice)
            } else {
                untried.append(key)
            }
        }
        return [secretsNotice(moment, untried)].compactMap { $0 } + told
    }

    private func words(_ key: ServerKey) -> BilingualText {
        switch key {
        case .webhooks: counted(webhookSecrets, zh: "个 webhook 密钥", en: "webhook secret")
        case .gateway: counted(gatewaySecrets, zh: "个网关密钥", en: "gateway secret")
        }
    }

    private func secretsNotice(_ moment: Moment, _ untried: [ServerKey]) -> BilingualText? {
        let (rows, names) = (untried.map(words), untried.map(\.setting))
        guard !rows.isEmpty else { return nil }
        let list = Self.joined(rows, zh: "、", en: " and ")
        let keys = BilingualText(zh: names.joined(separator: " 和 "), en: names.joined(separator: " and "))
        return switch moment {
        case .backup:
            list
                + BilingualText(
                    zh: "是加密的，解开它们的密钥不在备份中：请另行保存 MLflow 服务器的 ",
                    en: " can be read only with a key that is not in a backup: keep ")
                + keys
                + BilingualText(
                    zh: "，否则恢复后无法使用。", en: " of the MLflow server by itself, or they are of no use after a restore.")
        case .restore:
            list
                + BilingualText(
                    zh: "只有用备份时的密钥才能使用：请用相同的 ",
                    en: " can be read only with the key of then: start MLflow with the same ")
                + keys + BilingualText(zh: " 启动 MLflow，否则它会返回 500。", en: ", or it answers 500.")
        }
    }

    private func usersNotice(_ moment: Moment) -> BilingualText? {
        guard users else { return nil }
        return switch moment {
        case .backup:
            BilingualText(
                zh: "MLflow 要求登录，而用户和权限不在这个数据库中（basic_auth.ini 的 database_uri），备份不包含它们。请另行备份那个数据库。",
                en:
                    "MLflow asks for a login, and its users and permissions are in another database (database_uri of basic_auth.ini), which "
                    + "is not in a backup. Back it up by itself.")
        case .restore:
            BilingualText(
                zh: "备份时 MLflow 要求登录，用户和权限在另一个数据库中，没有恢复。",
                en:
                    "When the backup was made MLflow asked for a login; users and permissions are in another database, and were not brought back."
            )
        }
    }

    fileprivate static func joined(_ texts: [BilingualText], zh: String, en: String) -> BilingualText {
        BilingualText(
            zh: texts.map(\.chinese).joined(separator: zh), en: texts.map(\.english).joined(separator: en))
    }
}

extension ArtifactPlace {
    /// `s3://bucket/mlflow (1 experiment, 12 runs; 2 of these deleted)`.
    fileprivate var shownWords: BilingualText {
        let list = words
        return BilingualText(zh: "\(shown)（\(list.chinese)）", en: "\(shown) (\(list.english))")
    }

    /// `1 experiment, 12 runs; 2 of these deleted`.
    var words: BilingualText {
        let counts: [(Int64, String, String)] = [
            (experiments, "个实验", "experiment"), (runs, "个运行", "run"), (loggedModels, "个模型", "logged model"),
            (modelVersions, "个模型版本", "model version"), (traces, "个 trace", "trace"),
        ]
        var list = Elsewhere.joined(
            counts.filter { $0.0 > 0 }.map { counted($0.0, zh: $0.1, en: $0.2) }, zh: "、", en: ", ")
        if deleted > 0 { list = list + BilingualText(zh: "，其中 \(deleted) 个已删除", en: "; \(deleted) of these deleted") }
        return list
    }
}

private func counted(_ number: Int64, zh: String, en: String) -> BilingualText {
    BilingualText(zh: "\(number) \(zh)", en: "\(number) \(en)" + (number == 1 ? "" : "s"))
}
