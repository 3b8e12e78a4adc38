// SPDX-License-Identifier: Apache-2.0

import Glibc
import MLflowStore
import ObjectStore
import SystemIO
import Wording

/// Something that belongs to a running MLflow: its database, a place with artifacts, its users, keys that its rows need. A backup has it
/// or has it not, and a person who asks is told of each.
package struct CoveredStore: Sendable {
    package enum Kind: String, Sendable { case database, artifacts, users, keys }

    package let kind: Kind
    /// Where it is, without what lets anybody in.
    package let name: String
    /// What is known of it; empty for nothing.
    package let facts: BilingualText
    package let isCovered: Bool
    /// The line that would mend it, or what else is to be done; `nil` where nothing is.
    package let mend: BilingualText?
    /// Whether a restored MLflow would fail of it with what is at hand, such as a wrong key.
    package var isAtFault = false

    package var text: BilingualText {
        let shown = name.shown
        let known =
            facts.english.isEmpty
            ? BilingualText.empty : BilingualText(zh: "（", en: " (") + facts + BilingualText(zh: "）", en: ")")
        let verdict =
            isCovered
            ? BilingualText(zh: "在备份中", en: "in backups") : BilingualText(zh: "不在备份中", en: "not in backups")
        let advice = mend.map { BilingualText(zh: "；", en: "; ") + $0 } ?? .empty
        return Self.word(kind) + BilingualText(zh: " \(shown)", en: " \(shown)") + known
            + BilingualText(zh: "：", en: ": ") + verdict + advice
    }

    private static func word(_ kind: Kind) -> BilingualText {
        switch kind {
        case .database: BilingualText(zh: "数据库", en: "database")
        case .artifacts: BilingualText(zh: "artifacts", en: "artifacts")
        case .users: BilingualText(zh: "用户和权限", en: "users and permissions")
        case .keys: BilingualText(zh: "密钥", en: "keys")
        }
    }
}

extension Workspace {
    /// Each store of the stack, covered ones first. Asks the server, the database and the disks; what does not answer is left out, and
    /// is told of by `BackupPreflight`.
    /// - Parameter findings: of that, which has looked already for what is elsewhere.
    package func stores(_ findings: Findings) -> [CoveredStore] {
        // Whatever is asked of a folder that does not answer would wait, too.
        guard findings.silence == nil else { return [] }
        let elsewhere = findings.elsewhere.map { $0.found.stores($0.keys) } ?? []
        return [databaseStore()].compactMap(\.self) + all.map(\.folderStore)
            + stack.remote.map { $0.covered(cancellation) } + elsewhere
    }

    private func databaseStore() -> CoveredStore? {
        guard let known = stack.database.facts() else { return nil }
        let server = stack.mlflowVersion().map { ["MLflow \($0.shown)"] } ?? []
        let list = (known.facts + server).joined(separator: ", ")
        return CoveredStore(
            kind: .database, name: known.name, facts: BilingualText(zh: list, en: list), isCovered: known.isMLflows,
            mend: known.isMLflows ? nil : known.mend)
    }

    private var folderStore: CoveredStore {
        let name = stack.root.map { "\($0)=\(stack.artifacts)" } ?? stack.artifacts.string
        let isThere = (try? stack.checkArtifactsFolder()) != nil
        return CoveredStore(
            kind: .artifacts, name: name, facts: .empty, isCovered: isThere,
            mend: isThere
                ? nil
                : BilingualText(
                    zh: "无法读取：请检查 \(stack.rootSetting) 和挂载",
                    en: "it cannot be read: check \(stack.rootSetting) and the mounts"))
    }
}

extension Elsewhere {
    /// Each of what a backup does not hold.
    fileprivate func stores(_ verdicts: [ServerKey: KeyVerdict]) -> [CoveredStore] {
        var found = places.map { place in
            CoveredStore(
                kind: .artifacts, name: place.place, facts: place.words, isCovered: false, mend: Self.mend(place.place))
        }
        if morePlaces > 0 {
            found.append(
                CoveredStore(
                    kind: .artifacts, name: "+\(morePlaces)",
                    facts: BilingualText(zh: "另外 \(morePlaces) 处", en: "\(morePlaces) more places"),
                    isCovered: false, mend: nil))
        }
        if unseen != nil {
            found.append(
                CoveredStore(
                    kind: .artifacts, name: "mlflow-artifacts:/", facts: .empty, isCovered: false,
                    mend: BilingualText(
                        zh:
                            "请把 ARTIFACTS_DIR 设为服务器的 artifacts-destination，或设 ARTIFACT_ROOTS_IGNORED=mlflow-artifacts:/",
                        en:
                            "set ARTIFACTS_DIR to the server's artifacts-destination, or ARTIFACT_ROOTS_IGNORED=mlflow-artifacts:/"
                    )))
        }
        if users {
            found.append(
                CoveredStore(
                    kind: .users, name: "basic_auth.ini", facts: .empty, isCovered: false,
                    mend: BilingualText(
                        zh: "请另行备份 database_uri 所指的数据库", en: "back up the database of its database_uri by itself")))
        }
        for key in ServerKey.allCases where rows(of: key) > 0 {
            found.append(Self.key(key, rows(of: key), verdicts[key] ?? .notGiven))
        }
        return found
    }

    private static func key(_ key: ServerKey, _ rows: Int64, _ verdict: KeyVerdict) -> CoveredStore {
        let needed = BilingualText(
            zh: "\(rows) 行需要它", en: rows == 1 ? "1 row needs it" : "\(rows) rows need it")
        return CoveredStore(
            kind: .keys, name: key.setting,
            facts: needed + BilingualText(zh: "，", en: "; ") + verdict.fact, isCovered: false,
            mend: verdict.mend, isAtFault: verdict.isFault)
    }

    /// A folder that this machine has can be backed up, and a store that we can talk to; of anything else a person says that he does it.
    private static func mend(_ place: String) -> BilingualText {
        let ignored = "ARTIFACT_ROOTS_IGNORED=\(place.shown)"
        let isFolder = place.hasPrefix("/") && (try? OpenFile(FilePath(place), .directoryThroughLink)) != nil
        guard isFolder || (try? RemoteLocation(place)) != nil else {
            return BilingualText(
                zh: "另行备份后设 \(ignored)", en: "back it up by itself, then set \(ignored)")
        }
        let line = "ARTIFACT_ROOTS=\(name(of: place))=\(place.shown)"
        return BilingualText(
            zh: "设 \(line)，或另行备份后设 \(ignored)", en: "set \(line), or back it up by itself and set \(ignored)")
    }

    /// A word that a folder may be called by.
    private static func name(of place: String) -> String {
        let last = place.split(separator: "/").last ?? ""
        let word = String(
            last.lowercased().unicodeScalars.prefix(32).map { scalar -> Character in
                let isPlain = scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
                return isPlain ? Character(scalar) : "-"
            })
        return ArtifactFolder.isName(word) ? word : "other"
    }
}
