// SPDX-License-Identifier: Apache-2.0

import MLflowStore
import SystemIO

/// The keys of the MLflow server's that this service was given, to tell whether they are the right ones. They are stored nowhere, nor is
/// anything made of them: a fingerprint would make guessing cheaper.
package struct ServerKeys: Sendable {
    let webhooks: Secret?
    let gateway: Secret?

    package static let none = ServerKeys(webhooks: nil, gateway: nil)

    /// - Parameters:
    ///   - webhooks: `MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY`.
    ///   - gateway: `MLFLOW_CRYPTO_KEK_PASSPHRASE`.
    package init(webhooks: Secret?, gateway: Secret?) {
        self.webhooks = webhooks
        self.gateway = gateway
    }

    subscript(key: ServerKey) -> Secret? {
        switch key {
        case .webhooks: webhooks
        case .gateway: gateway
        }
    }
}

/// A key of the server's that rows of its database need.
enum ServerKey: Sendable, CaseIterable {
    case webhooks, gateway

    /// As MLflow calls it, and so do we.
    var setting: String {
        switch self {
        case .webhooks: "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY"
        case .gateway: "MLFLOW_CRYPTO_KEK_PASSPHRASE"
        }
    }

    var rows: SealedRow.Kind {
        switch self {
        case .webhooks: .webhook
        case .gateway: .gateway
        }
    }
}
