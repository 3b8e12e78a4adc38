// SPDX-License-Identifier: Apache-2.0

import Wording

extension ObjectStoreError: ExplainedError {
    package var explanation: BilingualText {
        switch self {
        case .badLocation, .unsupportedScheme, .badCredentials: settingExplanation
        case .noSuchBucket, .accessDenied, .wrongKeys, .clockSkew: rightsExplanation
        case .gone, .changed, .tooLarge, .keyNotExpressible, .sourceShrank: objectExplanation
        case .rcloneMissing, .rcloneDied: rcloneExplanation
        default: serverExplanation
        }
    }

    private var settingExplanation: BilingualText {
        switch self {
        case .unsupportedScheme(let scheme):
            BilingualText(
                zh: "不支持 \(scheme) 类型的存储。请使用 s3、gs、wasbs、abfss、sftp、ftp、hdfs、webdav，或 rclone:远程名:路径。",
                en:
                    "Stores of the kind \(scheme) are not supported. Use s3, gs, wasbs, abfss, sftp, ftp, hdfs, webdav, or rclone:REMOTE:PATH."
            )
        case .badCredentials(let name, let reason):
            BilingualText(
                zh: "\(name) 无法使用（\(reason)）。请改正后重试。",
                en: "\(name) cannot be used (\(reason)). Correct it, then try again."
            )
        case .badLocation(let reason):
            BilingualText(
                zh: "存储的地址无效（\(reason)）。应形如 s3://桶名/前缀。",
                en: "The location of the store is not valid (\(reason)). It looks like s3://BUCKET/PREFIX.")
        default: .empty
        }
    }

    private var rightsExplanation: BilingualText {
        switch self {
        case .noSuchBucket(let place):
            BilingualText(
                zh: "\(place)：该存储桶或目录不存在。请检查名称和端点（MLFLOW_S3_ENDPOINT_URL），或先创建它。",
                en:
                    "\(place): there is no such bucket or folder. Check its name and the endpoint (MLFLOW_S3_ENDPOINT_URL), or make it first."
            )
        case .accessDenied(let place, let reason):
            BilingualText(
                zh: "\(place)：没有权限（\(reason)）。请给这组密钥列出、读取、写入和删除对象的权限。",
                en:
                    "\(place): access denied (\(reason)). Allow these keys to list, read, write and delete objects there."
            )
        case .wrongKeys(let place, let reason):
            BilingualText(
                zh:
                    "\(place)：密钥或密码不被接受（\(reason)）。请检查 AWS_ACCESS_KEY_ID、AWS_SECRET_ACCESS_KEY 或该存储的登录信息，须与 MLflow 使用的相同。",
                en:
                    "\(place): the keys or the password are not accepted (\(reason)). Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY or the login of that store: they must be those that MLflow uses."
            )
        case .clockSkew(let place):
            BilingualText(
                zh: "\(place)：本机时间与存储相差过大，签名不被接受。请校准本机时间（timedatectl）。",
                en:
                    "\(place): this machine's clock is too far from the store's for a signature. Set the clock (timedatectl)."
            )
        default: .empty
        }
    }

    private var objectExplanation: BilingualText {
        switch self {
        case .gone(let key):
            BilingualText(
                zh: "对象 \(key.shown) 已不存在：列出之后被删除。",
                en: "The object \(key.shown) is gone: it was deleted after it was listed.")
        case .changed(let key):
            BilingualText(
                zh: "对象 \(key.shown) 在读取期间被替换。请在没有人写入时重试。",
                en:
                    "The object \(key.shown) was replaced while it was read. Try again when nobody writes to it.")
        case .tooLarge(let key, let limit):
            BilingualText(
                zh: "对象 \(key.shown) 大于 \(HumanUnits.size(limit))，不是预期的文件。请检查它是什么。",
                en:
                    "The object \(key.shown) is larger than \(HumanUnits.size(limit)), and not what it should be. Look what it is."
            )
        case .keyNotExpressible(let key):
            BilingualText(
                zh: "此类存储无法使用键 \(key.shown)。请改用能容纳它的存储（例如 S3）。",
                en: "This kind of store cannot have the key \(key.shown). Use one that can, as S3.")
        case .sourceShrank(let path):
            BilingualText(
                zh: "\(path) 在上传期间变短。请在没有人写入时重试。",
                en: "\(path) became shorter while it was sent. Try again when nobody writes to it.")
        default: .empty
        }
    }

    private var rcloneExplanation: BilingualText {
        switch self {
        case .rcloneMissing(let path):
            BilingualText(
                zh: "找不到 rclone（\(path)）。请运行 scripts/up 安装，或检查其路径。",
                en: "rclone is not at \(path). Run scripts/up, which installs it, or check its path.")
        case .rcloneDied(let reason):
            BilingualText(
                zh: "rclone 反复退出：\(reason)。请检查内存是否不足（内核日志），以及 rclone 的配置。",
                en:
                    "rclone ended again and again: \(reason). Check whether memory ran out (the kernel's log), and rclone's configuration."
            )
        default: .empty
        }
    }
}

extension ObjectKey {
    /// For a sentence: quoted where it has to be, and cut where it is long.
    package var shown: String { description.beginning(bytes: 300).shellWord }
}
