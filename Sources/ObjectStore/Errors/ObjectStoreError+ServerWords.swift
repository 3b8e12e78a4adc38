// SPDX-License-Identifier: Apache-2.0

import Wording

extension ObjectStoreError {
    var serverExplanation: BilingualText {
        switch self {
        case .unknownHost(let place, let reason):
            BilingualText(
                zh: "\(place)：找不到主机（\(reason)）。请检查端点地址和 DNS。",
                en: "\(place): its host is not known (\(reason)). Check the endpoint's address and the DNS.")
        case .cannotConnect(let place, let reason):
            BilingualText(
                zh: "\(place)：无法连接（\(reason)）。请检查服务是否运行、端口和防火墙。",
                en: "\(place): no connection (\(reason)). Check that it runs, its port, and the firewall.")
        case .certificate(let place, let reason):
            BilingualText(
                zh: "\(place)：TLS 证书不被信任（\(reason)）。请用 AWS_CA_BUNDLE 指定签发它的 CA 证书。",
                en:
                    "\(place): its TLS certificate is not trusted (\(reason)). Name the authority that signed it with AWS_CA_BUNDLE."
            )
        case .stalled(let place, let seconds):
            BilingualText(
                zh: "\(place)：\(HumanUnits.duration(seconds: seconds)) 内没有任何数据。请检查该服务和网络。",
                en:
                    "\(place): nothing came for \(HumanUnits.duration(seconds: seconds)). Check that service and the network."
            )
        case .throttled(let place, let seconds, let reason):
            BilingualText(
                zh: "\(place)：\(HumanUnits.duration(seconds: seconds)) 内一直拒绝请求（\(reason)）。请稍后重试，或提高该存储的限额。",
                en:
                    "\(place): it refused requests for \(HumanUnits.duration(seconds: seconds)) (\(reason)). Try again later, or raise that store's limits."
            )
        case .brokenOff(let place, let reason):
            BilingualText(
                zh: "\(place)：连接反复中断（\(reason)）。请检查网络，以及中间的代理。",
                en: "\(place): connections break off (\(reason)). Check the network, and any proxy between.")
        case .badAnswer(let place, let reason):
            BilingualText(
                zh: "\(place)：应答无法识别（\(reason)）。请检查端点是否是该类存储的地址。",
                en: "\(place): its answer makes no sense (\(reason)). Check that the endpoint is a store of this kind.")
        case .unordered(let place):
            BilingualText(
                zh: "\(place)：该存储列出的对象没有按键排序（例如 S3 目录存储桶）。请改用普通存储桶。",
                en:
                    "\(place): this store lists its objects in no order of their keys (as S3 directory buckets do). Use an ordinary bucket."
            )
        case .refused(let place, let status, let reason):
            BilingualText(
                zh: "\(place)：请求被拒绝（HTTP \(status)，\(reason)）。请查看该存储的日志。",
                en: "\(place): it refused the request (HTTP \(status), \(reason)). Look into that store's log.")
        default: .empty
        }
    }
}
