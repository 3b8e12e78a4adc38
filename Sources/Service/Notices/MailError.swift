// SPDX-License-Identifier: Apache-2.0

import Wording

/// Why a mail did not get out. No case holds a password.
package enum MailError: ExplainedError, Equatable {
    case unreachable(server: String, reason: String)
    case timedOut(server: String)
    case encryption(server: String, reason: String)
    case loginRefused(server: String, reply: String)
    /// The server said no: `code` is its reply code, `reply` its words.
    case refused(server: String, code: Int, reply: String)
    case failed(server: String, reason: String)

    /// Whether asking again later makes no sense: the server said so (5xx), or would lock the account.
    package var isPermanent: Bool {
        switch self {
        case .loginRefused(_, let reply): !reply.hasPrefix("4")
        case .refused(_, let code, _): (500...599).contains(code)
        case .unreachable, .timedOut, .encryption, .failed: false
        }
    }

    package var explanation: BilingualText {
        switch self {
        case .unreachable(let server, let reason):
            BilingualText(
                zh: "无法连接邮件服务器 \(server)：\(reason)。请检查 SMTP_URL 和网络。",
                en: "The mail server \(server) cannot be reached: \(reason). Check SMTP_URL and the network.")
        case .timedOut(let server):
            BilingualText(
                zh: "邮件服务器 \(server) 没有及时应答。请检查 SMTP_URL（端口与加密方式是否匹配）。",
                en: "The mail server \(server) did not answer in time. Check SMTP_URL: do port and encryption match?")
        case .encryption(let server, let reason):
            BilingualText(
                zh: "与邮件服务器 \(server) 的加密连接失败：\(reason)。自签名证书请设置 SMTP_CA_FILE；"
                    + "服务器不支持 STARTTLS 时请设置 SMTP_STARTTLS。",
                en:
                    "The connection to the mail server \(server) could not be encrypted: \(reason). For a certificate of "
                    + "your own set SMTP_CA_FILE; for a server without STARTTLS set SMTP_STARTTLS.")
        case .loginRefused(let server, let reply):
            BilingualText(
                zh: "邮件服务器 \(server) 拒绝登录（\(reply)）。请检查 SMTP_USERNAME 和 SMTP_PASSWORD。",
                en: "The mail server \(server) refused the login (\(reply)). Check SMTP_USERNAME and SMTP_PASSWORD.")
        case .refused(let server, _, let reply):
            BilingualText(
                zh: "邮件服务器 \(server) 拒收：\(reply)。请检查收件人地址和 SMTP_FROM。",
                en: "The mail server \(server) refused the mail: \(reply). Check the recipient and SMTP_FROM.")
        case .failed(let server, let reason):
            BilingualText(
                zh: "通过 \(server) 发送邮件失败：\(reason)。", en: "Sending by the mail server \(server) failed: \(reason).")
        }
    }
}
