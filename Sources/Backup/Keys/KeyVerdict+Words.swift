// SPDX-License-Identifier: Apache-2.0

import Wording

extension KeyVerdict {
    /// What a person is told, and does.
    /// - Parameters:
    ///   - rows: how many need the key, in words.
    ///   - name: of the key's setting.
    /// - Returns: `nil` where nothing was found out: then the key is to be kept, whichever it is.
    func notice(_ moment: Elsewhere.Moment, _ name: String, _ rows: BilingualText) -> BilingualText? {
        switch (self, moment) {
        case (.notGiven, _), (.untold, _): nil
        case (.opens(let version), .backup):
            BilingualText(zh: "现有的 \(name) 能解开 ", en: "The \(name) at hand opens ") + rows
                + BilingualText(
                    zh: "（已用最新的一行试过）。请另行保存它\(Self.also(version).chinese)，它不在备份中。",
                    en: " (the newest was tried). Keep it\(Self.also(version).english) by itself: it is not in backups."
                )
        case (.opens(let version), .restore):
            BilingualText(zh: "现有的 \(name) 能解开恢复的 ", en: "The \(name) at hand opens what was restored, ") + rows
                + BilingualText(
                    zh: "（已用最新的一行试过）：请用它\(Self.also(version).chinese)启动 MLflow。",
                    en: " (the newest was tried): start MLflow with it\(Self.also(version).english).")
        case (.byDefault(let version), .backup):
            rows
                + BilingualText(
                    zh: "是用 MLflow 的默认口令加密的（没有设置 \(name)），任何人都知道它：拿到数据库或备份的人都能读出。无需保存密钥；"
                        + "要保护它们，请为 MLflow 设置 \(name)，再重新填写这些密钥。",
                    en:
                        " can be read by whoever has the database or a backup: MLflow's default passphrase is in use, which everybody knows, "
                        + "since no \(name) is set. There is no key to keep. To close them, set one for MLflow, and enter these secrets anew."
                )
                + Self.needs(version)
        case (.byDefault(let version), .restore):
            rows
                + BilingualText(
                    zh: "是用 MLflow 的默认口令加密的：启动 MLflow 时不要设置 \(name)，否则它会返回 500。",
                    en:
                        " can be read with MLflow's default passphrase: start MLflow without \(name), or it answers 500."
                )
                + Self.needs(version)
        case (.wrong(let isDefault), .backup):
            BilingualText(zh: "现有的 \(name) 解不开 ", en: "The \(name) at hand does not open ") + rows
                + BilingualText(
                    zh: isDefault
                        ? "：它们是用 MLflow 的默认口令加密的，用这个口令启动的 MLflow 会返回 500。请把 MLflow 实际使用的口令告诉本服务，或去掉它。"
                        : "（已用最新的一行试过）：用它启动的 MLflow 会返回 500。请找到写入时的密钥，交给本服务并另行保存；它不在备份中。",
                    en: isDefault
                        ? ": MLflow's default passphrase does, and an MLflow that is started with this one answers 500. Give this service what "
                            + "MLflow runs with, or nothing."
                        : " (the newest was tried): an MLflow that is started with it answers 500. Find the key that they were written with, "
                            + "give it to this service, and keep it by itself: it is not in backups.")
        case (.wrong(let isDefault), .restore):
            BilingualText(zh: "现有的 \(name) 解不开恢复的 ", en: "The \(name) at hand does not open what was restored, ") + rows
                + BilingualText(
                    zh: isDefault
                        ? "：这些行会返回 500。它们是用 MLflow 的默认口令加密的，启动 MLflow 时不要设置它。"
                        : "（已用最新的一行试过）：这些行会返回 500。请用备份时的密钥启动 MLflow；找不到时，删除后重新设置。",
                    en: isDefault
                        ? ": these rows will answer 500. MLflow's default passphrase does: start MLflow without this one."
                        : " (the newest was tried): these rows will answer 500. Start MLflow with the key of when the backup was made; where "
                            + "that is lost, delete them and set them anew.")
        case (.noKey, _):
            BilingualText(
                zh: "\(name) 不是 Fernet 密钥（44 个字符的 URL 安全 base64），用它 MLflow 无法启动，也解不开 ",
                en:
                    "\(name) is no Fernet key (URL-safe base64 of 44 characters): MLflow does not start with it, and nothing tells whether the key of "
            )
                + rows + BilingualText(zh: "。请改正。", en: " is at hand. Put it right.")
        case (.malformed, _):
            BilingualText(zh: "数据库中有 ", en: "The database has ") + rows
                + BilingualText(
                    zh: "，其中最新的一行已损坏，任何密钥都解不开，MLflow 会返回 500。请删除后重新设置。",
                    en:
                        ", and the newest is malformed: no key opens it, and MLflow answers 500. Delete it and set it anew."
                )
        }
    }

    /// The same in a few words, beside the key's name.
    var fact: BilingualText {
        switch self {
        case .notGiven: BilingualText(zh: "这里没有它，无法核对", en: "not given to this service, so not tried")
        case .opens: BilingualText(zh: "现有的能解开", en: "the one at hand opens them")
        case .byDefault:
            BilingualText(zh: "使用的是 MLflow 人人皆知的默认口令", en: "MLflow's default is in use, which everybody knows")
        case .wrong(isDefault: true):
            BilingualText(zh: "现有的解不开，MLflow 的默认口令能解开", en: "the one at hand does not open them, MLflow's default does")
        case .wrong(isDefault: false): BilingualText(zh: "现有的解不开", en: "the one at hand does not open them")
        case .noKey: BilingualText(zh: "给出的不是 Fernet 密钥", en: "what was given is no Fernet key")
        case .malformed: BilingualText(zh: "最新的一行已损坏", en: "the newest row is malformed")
        case .untold(let reason): BilingualText(zh: "未能核对：", en: "it could not be tried: ") + reason
        }
    }

    /// What is to be done.
    var mend: BilingualText {
        switch self {
        case .notGiven, .untold: BilingualText(zh: "请另行保存", en: "keep it by itself")
        case .opens(let version):
            BilingualText(
                zh: "请另行保存\(Self.also(version).chinese)", en: "keep it\(Self.also(version).english) by itself")
        case .byDefault:
            BilingualText(
                zh: "无需保存；要保护它们，请为 MLflow 设置一个，再重新填写这些密钥",
                en: "there is nothing to keep; to close them set one for MLflow, and enter these secrets anew")
        case .wrong:
            BilingualText(
                zh: "请找到 MLflow 实际使用的密钥，交给本服务", en: "find the one that MLflow runs with, and give it to this service")
        case .noKey: BilingualText(zh: "请改正", en: "put it right")
        case .malformed: BilingualText(zh: "请在 MLflow 中删除后重新设置", en: "delete it in MLflow, and set it anew")
        }
    }

    private static func also(_ version: Int64?) -> BilingualText {
        guard let version else { return .empty }
        return BilingualText(
            zh: " 和 MLFLOW_CRYPTO_KEK_VERSION=\(version) ", en: " and MLFLOW_CRYPTO_KEK_VERSION=\(version)")
    }

    private static func needs(_ version: Int64?) -> BilingualText {
        guard let version else { return .empty }
        return BilingualText(
            zh: "还需要 MLFLOW_CRYPTO_KEK_VERSION=\(version)。", en: " It needs MLFLOW_CRYPTO_KEK_VERSION=\(version), too.")
    }
}
