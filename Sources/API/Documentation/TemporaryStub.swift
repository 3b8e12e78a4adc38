enum OpenAPIDocument { static func json(version: String) -> [UInt8] { [] } }
enum DocsPage { static let html: [UInt8] = []; static let assets: [String: (contentType: String, bytes: [UInt8])] = [:] }
