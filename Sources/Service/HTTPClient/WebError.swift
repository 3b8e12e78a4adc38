// SPDX-License-Identifier: Apache-2.0

import Wording

/// A web request that got no answer. A status of 400 and above is an answer.
package enum WebError: ExplainedError, Equatable {
    case badURL(String)
    case unreachable(url: String, reason: String)
    case timedOut(url: String, seconds: Double)
    case tooLarge(url: String, limit: Int)

    package var explanation: BilingualText {
        switch self {
        case .badURL(let url):
            BilingualText(
                zh: "地址 \(url) 不可用：只接受 http:// 和 https://。",
                en: "The address \(url) cannot be used: only http:// and https:// are.")
        case .unreachable(let url, let reason):
            BilingualText(
                zh: "无法访问 \(url)：\(reason)。请检查该服务是否在运行、地址是否正确。",
                en: "\(url) cannot be reached: \(reason). Check that the service runs and that the address is right.")
        case .timedOut(let url, let seconds):
            BilingualText(
                zh: "\(url) 在 \(seconds) 秒内没有应答。", en: "\(url) did not answer within \(seconds) seconds.")
        case .tooLarge(let url, let limit):
            BilingualText(
                zh: "\(url) 的应答超过 \(limit) 字节，已放弃。", en: "The answer of \(url) is longer than \(limit) bytes: given up."
            )
        }
    }
}
