// SPDX-License-Identifier: Apache-2.0

import HTTPServer
import Service
import Wording

/// An `application/problem+json` answer (RFC 9457). Which error of ours has which status is said here alone; what the
/// server refuses before a route sees it has the status of `HTTPRejection`.
struct Problem {
    let status: Int
    let detail: BilingualText
    /// Stays the same when the sentences are rewritten.
    let code: String
    /// What the error found, one by one; empty for most.
    let findings: [BilingualText]
    private let headers: HTTPHeaders

    init(_ error: any Error) {
        code = error.stableCode
        findings = error.codedFindings
        detail = error.bilingual + ProblemHint.of(Remedy(error))
        var headers = HTTPHeaders()
        if let error = error as? RequestError {
            status = Self.status(error)
            if case .methodNotAllowed(_, let allowed) = error { headers.add("Allow", allowed.joined(separator: ", ")) }
            if error == .unauthorized { headers.add("WWW-Authenticate", "Bearer") }
            if error == .tooBusy { headers.add("Retry-After", "2") }
        } else {
            status = Self.status(error.kindOfFailure)
        }
        self.headers = headers
    }

    private static func status(_ error: RequestError) -> Int {
        switch error {
        case .noSuchPath: 404
        case .methodNotAllowed: 405
        case .unauthorized: 401
        case .unknownHost: 421
        case .foreignOrigin: 403
        case .notJSON, .malformed: 400
        case .lengthRequired: 411
        case .preconditionFailed: 412
        case .wrongMediaType: 415
        case .wrongType, .missingField, .unknownField, .badValue: 422
        case .notDownloadable: 409
        case .tooLarge: 413
        case .headTooLarge: 431
        case .tooBusy, .clientLeft: 503
        case .notImplemented: 501
        case .versionNotSupported: 505
        }
    }

    private static func status(_ kind: FailureKind) -> Int {
        switch kind {
        case .notFound: 404
        case .conflict, .busy, .refused, .damaged: 409
        case .noRoom: 507
        case .unavailable, .usage, .cancelled: 503
        case .failed: 500
        }
    }

    private static func title(_ status: Int) -> BilingualText {
        switch status {
        case 400: BilingualText(zh: "请求无效", en: "Bad request")
        case 401: BilingualText(zh: "需要认证", en: "Unauthorized")
        case 403: BilingualText(zh: "禁止访问", en: "Forbidden")
        case 404: BilingualText(zh: "未找到", en: "Not found")
        case 405: BilingualText(zh: "方法不允许", en: "Method not allowed")
        case 409: BilingualText(zh: "冲突", en: "Conflict")
        case 411: BilingualText(zh: "需要 Content-Length", en: "Length required")
        case 412: BilingualText(zh: "条件不符", en: "Precondition failed")
        case 413: BilingualText(zh: "请求体过大", en: "Content too large")
        case 415: BilingualText(zh: "不支持的类型", en: "Unsupported media type")
        case 421: BilingualText(zh: "主机名不被接受", en: "Misdirected request")
        case 422: BilingualText(zh: "参数无效", en: "Unprocessable content")
        case 431: BilingualText(zh: "请求头过大", en: "Request header fields too large")
        case 501: BilingualText(zh: "未实现", en: "Not implemented")
        case 503: BilingualText(zh: "服务不可用", en: "Service unavailable")
        case 505: BilingualText(zh: "不支持的 HTTP 版本", en: "HTTP version not supported")
        case 507: BilingualText(zh: "存储空间不足", en: "Insufficient storage")
        default: BilingualText(zh: "内部错误", en: "Internal error")
        }
    }

    func response(_ language: Language) -> HTTPResponse {
        let body = ProblemBody(
            type: "\(DocumentationRoutes.errors)#\(code)", title: Self.title(status)[language], status: status,
            detail: detail[language],
            code: code, findings: findings.isEmpty ? nil : findings.map { $0[language] })
        var response = HTTPResponse.json(body, status: status)
        response.headers.set("Content-Type", "application/problem+json")
        response.headers.set("Content-Language", language.rawValue)
        for field in headers.fields { response.headers.add(field.name, field.value) }
        return response
    }
}

private struct ProblemBody: Encodable {
    let type: String
    let title: String
    let status: Int
    let detail: String
    let code: String
    let findings: [String]?
}
