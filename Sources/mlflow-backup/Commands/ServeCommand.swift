// SPDX-License-Identifier: Apache-2.0

import API
import HTTPServer
import Service
import SystemIO
import Wording

enum ServeCommand: Command {
    static let definition = CommandDefinition(
        "serve", BilingualText(zh: "运行备份服务：REST API 和每日备份。", en: "Run the service: REST API and daily backups."),
        options: [
            .init(
                "check", nil,
                BilingualText(zh: "只检查设置，不启动", en: "look at the settings alone, and start nothing")),
            .init(
                "grace", "SECONDS",
                BilingualText(zh: "停止时等待任务的秒数（默认 30）", en: "seconds a running task gets at a stop (30)")),
        ],
        notes: BilingualText(
            zh: "所有设置均可作为环境变量或选项给出，例如 BACKUP_API_PORT 或 --backup-api-port。\n\n",
            en: "Every setting can be a variable or an option: BACKUP_API_PORT or --backup-api-port.\n\n")
            + ExitCode.help)

    static func run(_ invocation: Invocation) throws -> ExitCode {
        let settings = invocation.settings
        try settings.refuseOpenDoor()
        if invocation.arguments.has("check") { return .success }
        Heap.keepSmall()
        let log = Log(format: settings.logFormat, syslog: settings.logToSyslog)
        let grace = Double(try invocation.arguments.number("grace", in: 0...86_400) ?? 30)
        // Before any other thread starts: they inherit the blocked signals.
        let asked = Monitor(0)
        let signals = try SignalWatch([.interrupt, .terminate]) { _ in asked.withLock { $0 += 1 } }
        defer { signals.stop() }

        let service: StackService
        do { service = try StackService(settings, log: log) } catch {
            StartFailure.tell(settings, because: error, log: log)
            throw error
        }
        StartFailure.end(settings, log: log)
        let api = StackAPI(service)
        let requests = try RequestLog(log)
        defer { requests.stop() }
        var configuration = ServerConfiguration(address: settings.apiAddress, port: settings.apiPort)
        configuration.maximumConnectionsOfClient = settings.connectionsPerClient
        let server: HTTPServer
        do {
            server = try HTTPServer(
                configuration: configuration,
                onEvent: { requests.note($0) }, onHead: { api.refusal($0) },
                onRejected: { StackAPI.answer($0, $1) }, handler: { api.answer($0) })
        } catch {
            service.stop(graceSeconds: 0)
            throw ListenError(address: settings.apiAddress, port: settings.apiPort, cause: error)
        }
        try service.start()
        log.info(
            "serving", ["version": ServiceVersion.current, "address": settings.apiAddress, "port": server.port])
        asked.wait { $0 > 0 ? () : nil }
        log.info("stopping", ["grace_seconds": grace])
        let deadline = StopDeadline(seconds: grace + 45, log: log)
        defer { deadline.end() }
        server.stop(graceSeconds: 5)
        service.stop(graceSeconds: grace)
        log.info("stopped")
        return .success
    }
}

/// The port cannot be had.
struct ListenError: CodedError {
    let address: String
    let port: UInt16
    let cause: any Error

    var errorCode: String { "cannot-listen" }
    var failureKind: FailureKind { .unavailable }

    var explanation: BilingualText {
        let reason = reason
        return BilingualText(
            zh: "无法监听 \(address):\(port)（\(reason.chinese)）。请更换 BACKUP_API_PORT 或停止占用端口的程序。",
            en:
                "Cannot listen on \(address):\(port) (\(reason.english)). Change BACKUP_API_PORT, or stop what uses the port."
        )
    }

    private var reason: BilingualText {
        switch cause {
        case HTTPServerError.badAddress: BilingualText(zh: "本机没有这个地址", en: "\(cause)")
        case HTTPServerError.portInUse: BilingualText(zh: "端口已被占用", en: "\(cause)")
        case HTTPServerError.cannotListen(_, _, let code):
            SystemError("listen", path: address, code: code).reasonText
        case HTTPServerError.cannotStart: BilingualText(zh: "HTTP 服务启动失败", en: "\(cause)")
        default: cause.bilingual
        }
    }
}
