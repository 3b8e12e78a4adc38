// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import HTTPServer
import Service
import Wording

/// The fields of a JSON object, read one by one so that each mistake is named.
struct RequestBody {
    private let fields: [String: JSONValue]

    /// An empty body is an empty object.
    /// - Throws: `RequestError.notJSON`, `.wrongMediaType`, `.unknownField`.
    init(_ request: HTTPRequest, known: [String]) throws {
        guard !request.body.isEmpty else {
            fields = [:]
            return
        }
        let type = request.headers["Content-Type"] ?? ""
        let media = type.split(separator: ";").first.map { $0.filter { !$0.isWhitespace }.lowercased() } ?? ""
        // curl -d without a header says x-www-form-urlencoded, which a page of another site could send as well.
        guard media == "application/json" || media.hasSuffix("+json") else {
            throw RequestError.wrongMediaType(media.isEmpty ? "(none)" : media)
        }
        let value: JSONValue
        do {
            value = try JSONDecoder().decode(JSONValue.self, from: Data(request.body))
        } catch {
            throw RequestError.notJSON("\(request.body.count) bytes")
        }
        guard case .object(let fields) = value else { throw RequestError.notJSON("not an object") }
        for name in fields.keys.sorted() where !known.contains(name) {
            throw RequestError.unknownField(String(name.prefix(60)), known: known)
        }
        self.fields = fields
    }

    func bool(_ name: String) throws -> Bool? {
        switch fields[name] {
        case nil, .null: return nil
        case .bool(let value): return value
        default:
            throw RequestError.wrongType(field: name, expected: BilingualText(zh: " true 或 false", en: "true or false"))
        }
    }

    func string(_ name: String) throws -> String? {
        switch fields[name] {
        case nil, .null: return nil
        case .string(let value): return value
        default: throw RequestError.wrongType(field: name, expected: BilingualText(zh: "字符串", en: "a string"))
        }
    }

    func email(_ name: String) throws -> MailAddress? {
        guard let text = try string(name) else { return nil }
        do { return try MailAddress(text) } catch {
            throw RequestError.badValue(
                field: name, value: text,
                allowed: BilingualText(zh: "一个邮箱地址，如 admin@company.com", en: "one address such as admin@company.com"))
        }
    }
}

/// Any JSON (RFC 8259).
enum JSONValue: Decodable, Sendable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }
}
