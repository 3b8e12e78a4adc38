// SPDX-License-Identifier: Apache-2.0

import Service
import SystemIO
import Wording

extension CommandDefinition {
    /// Every setting is an option too, as `--backup-dir` for BACKUP_DIR. Where a command has an option of that name
    /// itself, its own counts. They are not listed in each help: the README has the table.
    func addingSettings() -> CommandDefinition {
        let own = Set(options.map(\.name))
        let settings = SettingName.allCases.map { String($0.flag.dropFirst(2)) }.filter { !own.contains($0) }
        return CommandDefinition(
            name, summary, positional: positional, positionalLimit: positionalLimit,
            options: options + settings.map { Option($0, "VALUE", BilingualText.empty) }, notes: notes)
    }
}

extension Settings {
    /// Flags, then the environment, then the file.
    static func read(_ arguments: ParsedArguments, _ environment: [String: String]) throws -> Settings {
        var flags: [String: String] = [:]
        for name in SettingName.allCases {
            guard let value = arguments[String(name.flag.dropFirst(2))] else { continue }
            flags[name.isSecret ? name.fileVariable : name.rawValue] = value
        }
        if let language = arguments["lang"] { flags[SettingName.language.rawValue] = language }
        return try read(flags: flags, environment: environment, envFile: arguments["env-file"].map { FilePath($0) })
    }

    /// The language for messages about the arguments themselves, before any settings are read.
    static func language(arguments: [String], environment: [String: String]) -> Language {
        if let position = arguments.firstIndex(of: "--lang"), position + 1 < arguments.count,
            let language = Language(rawValue: arguments[position + 1])
        {
            return language
        }
        if let position = arguments.first(where: { $0.hasPrefix("--lang=") }),
            let language = Language(rawValue: String(position.dropFirst(7)))
        {
            return language
        }
        return environment[SettingName.language.rawValue].flatMap { Language(rawValue: $0) }
            ?? language(of: environment)
    }
}
