// SPDX-License-Identifier: Apache-2.0

import Wording

/// What is wrong with a request itself.
enum RequestError: CodedError, Equatable {
    case noSuchPath(String)
    case methodNotAllowed(String, allowed: [String])
    case unauthorized
    case unknownHost(String)
    case foreignOrigin(String)
    case notJSON(BilingualText)
    case wrongMediaType(String)
    case wrongType(field: String, expected: BilingualText)
    case missingField(String)
    case unknownField(String, known: [String])
    case badValue(field: String, value: String, allowed: BilingualText)
    case notDownloadable(String, path: String)
    case tooLarge(limit: Int)
    case headTooLarge
    case malformed(BilingualText)
    /// Content in chunks.
    case lengthRequired
    /// If-Match, or If-None-Match of a call that changes something.
    case preconditionFailed
    /// A part of HTTP that this server has not: 501, 505.
    case notImplemented(BilingualText)
    case versionNotSupported
    /// Too many wait for the same already.
    case tooBusy
    /// Nobody hears the answer.
    case clientLeft

    /// The status is that of each case.
    var failureKind: FailureKind { .usage }

    var errorCode: String {
        switch self {
        case .noSuchPath: "no-such-path"
        case .methodNotAllowed: "method-not-allowed"
        case .unauthorized: "unauthorized"
        case .unknownHost: "unknown-host"
        case .foreignOrigin: "foreign-origin"
        case .notJSON: "not-json"
        case .wrongMediaType: "wrong-media-type"
        case .wrongType: "wrong-type"
        case .missingField: "missing-field"
        case .unknownField: "unknown-field"
        case .badValue: "bad-value"
        case .notDownloadable: "not-downloadable"
        case .tooLarge: "too-large"
        case .headTooLarge: "head-too-large"
        case .malformed: "malformed"
        case .lengthRequired: "length-required"
        case .preconditionFailed: "precondition-failed"
        case .notImplemented: "not-implemented"
        case .versionNotSupported: "version-not-supported"
        case .tooBusy: "service-busy"
        case .clientLeft: "client-left"
        }
    }

    var explanation: BilingualText {
        switch self {
        case .noSuchPath(let path):
            let shown = String(path.prefix(100))
            return BilingualText(
                zh: "没有路径 \(shown)。全部调用见 GET /docs。", en: "There is no path \(shown). GET /docs shows all calls.")
        case .methodNotAllowed(let method, let allowed):
            let list = allowed.joined(separator: ", ")
            return BilingualText(
                zh: "此路径不支持 \(method)，可用：\(list)。", en: "This path does not take \(method), only \(list).")
        case .unauthorized:
            return BilingualText(
                zh: "需要令牌：请发送请求头 Authorization: Bearer <API_TOKEN>。",
                en: "A token is needed: send the header Authorization: Bearer <API_TOKEN>.")
        case .unknownHost(let host):
            let shown = host.beginning(bytes: 100)
            return BilingualText(
                zh: "不接受主机名 \(shown)。如确实要用它访问，请把它加入 ALLOWED_HOSTS（docker compose：PUBLIC_HOSTS）。",
                en:
                    "The host name \(shown) is not accepted. If it is yours, add it to ALLOWED_HOSTS (with docker compose: PUBLIC_HOSTS)."
            )
        case .foreignOrigin(let origin):
            return BilingualText(
                zh: "拒绝来自其他网站（\(origin)）的请求。请直接访问本服务。",
                en: "Requests from another site (\(origin)) are refused. Use this service directly.")
        case .notJSON(let reason):
            return BilingualText(
                zh: "请求体不是可用的 JSON（\(reason[.chinese])）。示例：{\"compress\": true}。",
                en: "The body is not JSON that this call takes (\(reason[.english])). An example: {\"compress\": true}."
            )
        case .wrongMediaType(let type):
            return BilingualText(
                zh: "不支持的类型 \(type)。请发送 Content-Type: application/json。",
                en: "\(type) is not understood. Send Content-Type: application/json.")
        case .wrongType(let field, let expected):
            return BilingualText(
                zh: "字段 \(field) 的类型应为\(expected[.chinese])。", en: "The field \(field) must be \(expected[.english]).")
        case .missingField(let field):
            return BilingualText(zh: "缺少字段 \(field)。", en: "The field \(field) is missing.")
        case .unknownField(let field, let known):
            let list = known.joined(separator: ", ")
            return BilingualText(
                zh: "不认识字段 \(field)，可用：\(list)。", en: "There is no field \(field); there are \(list).")
        case .badValue(let field, let value, let allowed):
            let shown = String(value.prefix(100))
            return BilingualText(
                zh: "字段 \(field) 的值 \(shown) 无效，应为\(allowed[.chinese])。",
                en: "\(shown) is not a value for \(field): it takes \(allowed[.english]).")
        case .notDownloadable(let name, let path):
            return BilingualText(
                zh: "\(name) 是未压缩的备份目录，不能作为一个文件下载。请从 \(path) 复制，或改做压缩备份。",
                en: "\(name) is an uncompressed backup, a folder. Copy it from \(path), or make a compressed one.")
        case .tooLarge(let limit):
            return BilingualText(
                zh: "请求体超过 \(limit) 字节。", en: "The request body is larger than \(limit) bytes.")
        case .headTooLarge:
            return BilingualText(
                zh: "请求头过大（包括 Cookie）。请去掉本服务用不到的 Cookie 和请求头。",
                en:
                    "The head of the request is too large, cookies included. Leave out cookies and fields that are not for this service."
            )
        case .malformed(let reason), .notImplemented(let reason):
            return BilingualText(
                zh: "请求无效：\(reason.chinese)。", en: "The request is not valid: \(reason.english).")
        case .versionNotSupported:
            return BilingualText(zh: "此应答需要 HTTP/1.1。", en: "This answer needs HTTP/1.1.")
        case .lengthRequired:
            return BilingualText(
                zh: "请求体不能分块传输。请发送 Content-Length。", en: "Content in chunks is not taken. Send a Content-Length.")
        case .preconditionFailed:
            return BilingualText(
                zh: "内容与 If-Match 或 If-None-Match 的条件不符。请重新读取，按其 ETag 再试。",
                en: "It is not what If-Match or If-None-Match asks for. Read it anew, and use its ETag.")
        case .tooBusy:
            return BilingualText(
                zh: "同类请求过多，请稍后重试。", en: "Too many requests wait for the same. Try again in a moment.")
        case .clientLeft:
            return BilingualText(zh: "客户端已断开。", en: "The client has left.")
        }
    }
}
