// SPDX-License-Identifier: Apache-2.0

import Wording

extension ObjectStoreError: CodedError {
    package var errorCode: String {
        switch self {
        case .badLocation: "store-location-invalid"
        case .unsupportedScheme: "store-scheme-unsupported"
        case .badCredentials: "store-credentials-unusable"
        case .noSuchBucket: "store-bucket-missing"
        case .accessDenied: "store-access-denied"
        case .wrongKeys: "store-keys-wrong"
        case .clockSkew: "store-clock-skew"
        case .unknownHost: "store-host-unknown"
        case .cannotConnect: "store-unreachable"
        case .certificate: "store-certificate"
        case .stalled: "store-stalled"
        case .throttled: "store-throttled"
        case .brokenOff: "store-connection-lost"
        case .gone: "object-gone"
        case .changed: "object-changed"
        case .tooLarge: "object-too-large"
        case .keyNotExpressible: "object-key-not-expressible"
        case .sourceShrank: "object-source-shrank"
        case .badAnswer: "store-answer-unusable"
        case .unordered: "store-listing-unordered"
        case .refused: "store-refused"
        case .rcloneMissing: "rclone-missing"
        case .rcloneDied: "rclone-died"
        }
    }

    package var failureKind: FailureKind {
        switch self {
        case .badLocation, .unsupportedScheme, .badCredentials: .usage
        case .gone: .notFound
        case .changed, .sourceShrank, .tooLarge, .keyNotExpressible: .conflict
        default: .unavailable
        }
    }
}
