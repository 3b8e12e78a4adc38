// SPDX-License-Identifier: Apache-2.0

import HTTPServer
import Wording

extension HTTPRejection.Fault {
    var text: BilingualText {
        let chinese =
            switch self {
            case .target: "请求目标格式错误"
            case .requestLine: "请求行中有 NUL 或多余的空格"
            case .method: "方法格式错误"
            case .asterisk: "目标 * 只能用于 OPTIONS"
            case .lines: "有请求头折行、含 NUL，或不以 CR LF 结尾"
            case .fieldName: "请求头名称格式错误"
            case .fieldValue: "请求头的值含控制字符"
            case .host: "请求应有且只有一个 Host"
            case .framing: "Transfer-Encoding 不能与 Content-Length 或 HTTP/1.0 同用"
            case .contentLength: "Content-Length 应是一个数字"
            }
        return BilingualText(zh: chinese, en: rawValue)
    }
}
