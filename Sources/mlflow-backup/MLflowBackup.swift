// SPDX-License-Identifier: Apache-2.0

import Backup
import FoundationEssentials
import Glibc
import Service
import SystemIO
import Wording

/// The program: picks the command, reads the settings, maps every error to words and an exit code.
@main
enum MLflowBackup {
    private static let commands: [any Command.Type] = [
        ServeCommand.self, BackupCommand.self, RestoreCommand.self, ListCommand.self, VerifyCommand.self,
        CatCommand.self, DiffCommand.self,
        ScrubCommand.self, DoctorCommand.self, PruneCommand.self, AcceptCommand.self, RecoverCommand.self,
        KeptCommand.self, ForgetCommand.self, ClaimCommand.self, ScheduleCommand.self,
    ]

    static func main() {
        signal(SIGPIPE, SIG_IGN)
        // A limit of the size of files (setrlimit(2)) is then an error of the write: EFBIG.
        signal(SIGXFSZ, SIG_IGN)
        DescriptorLimit.raise()
        let environment = ProcessInfo.processInfo.environment
        let code = run(Array(CommandLine.arguments.dropFirst()), environment)
        exit(reported(code, environment).rawValue)
    }

    /// An answer that did not get out is no success.
    private static func reported(_ code: ExitCode, _ environment: [String: String]) -> ExitCode {
        guard let failure = Console.outputFailure else { return code }
        Console(Settings.language(arguments: CommandLine.arguments, environment: environment)).error(
            failure.explanation)
        return code == .success ? .failure : code
    }

    private static func run(_ given: [String], _ environment: [String: String]) -> ExitCode {
        var language = Settings.language(arguments: given, environment: environment)
        do {
            let (name, rest) = splitCommand(given)
            guard let name else {
                let asksVersion = rest.contains("--version")
                let asksHelp = rest.isEmpty || rest.contains { ["--help", "-h", "help"].contains($0) }
                let console = Console(language)
                if asksVersion {
                    console.answer("mlflow-backup \(ServiceVersion.current)")
                } else if asksHelp {
                    console.answer(overview(language))
                } else {
                    throw UsageError.unknownOption(rest.first ?? "", nearest: nil)
                }
                return rest.isEmpty ? .usage : .success
            }
            guard let command = commands.first(where: { $0.definition.name == name }) else {
                throw UsageError.unknownCommand(
                    name, nearest: NearestName.of(name, in: commands.map { $0.definition.name }))
            }
            let arguments = try ParsedArguments(rest, command.definition.addingSettings())
            if arguments.has("help") {
                Console(language).answer(command.definition.help(language))
                return .success
            }
            let settings = try Settings.read(arguments, environment)
            language = settings.language
            if let zone = settings.timeZone, environment["TZ"] != zone { LocalTime.useZone(zone) }
            let invocation = Invocation(arguments: arguments, settings: settings, console: Console(language))
            // A restore would take the backups with it: settings like these are no settings.
            try invocation.operations.workspace.refuseOverlap()
            return try command.run(invocation)
        } catch {
            if given.contains("--json"), !Console.hasAnswered {
                Console(language).answer(JSONText.of(ErrorRepresentation(error, language)))
            }
            Console(language).error(error.atTheTerminal)
            return ExitCode(error)
        }
    }

    /// `mlflow-backup --env-file F backup …` and `mlflow-backup backup --env-file F …` are the same.
    private static func splitCommand(_ arguments: [String]) -> (String?, [String]) {
        var leading: [String] = []
        var rest = arguments[...]
        while let first = rest.first, first.hasPrefix("-") {
            leading.append(rest.removeFirst())
            if ["--env-file", "--lang"].contains(first), !rest.isEmpty { leading.append(rest.removeFirst()) }
        }
        guard let name = rest.popFirst(), name != "help" || !rest.isEmpty else { return (nil, arguments) }
        if name == "help", let topic = rest.popFirst() { return (topic, ["--help"]) }
        return (name, leading + rest)
    }

    private static func overview(_ language: Language) -> String {
        var lines = [
            "mlflow-backup \(ServiceVersion.current)",
            language == .chinese
                ? "MLflow 的备份与恢复：数据库和 artifacts 保持一致。"
                : "Backup and restore for MLflow: database and artifacts that agree.",
            "", (language == .chinese ? "用法" : "Usage") + ": mlflow-backup [--env-file FILE] COMMAND [OPTIONS]", "",
        ]
        for command in commands {
            let name = command.definition.name
            let padding = String(repeating: " ", count: max(1, 10 - name.count))
            lines.append("  \(name)\(padding)\(command.definition.summary[language])")
        }
        lines += [
            "", language == .chinese ? "各命令的选项: mlflow-backup COMMAND --help" : "Options: mlflow-backup COMMAND --help",
            "",
        ]
        return lines.joined(separator: "\n") + ExitCode.help[language]
    }
}
