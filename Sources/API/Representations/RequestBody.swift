// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import HTTPServer
import Service
import Wording

/// The fields of a JSON object, read one by one so that each mistake is named.
struct RequestBody {
    private let fields: [String: JSONScalar]

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
        let look = JSONBounds.request.look(at: request.body)
        if let fault = look.fault { throw RequestError.notJSON(fault) }
        do {
            guard String(validating: request.body, as: UTF8.self) != nil else {
                throw RequestError.notJSON(BilingualText(zh: "不是 UTF-8 文本", en: "it is not UTF-8 text"))
            }
            fields = try JSONDecoder().decode([String: JSONScalar].self, from: Data(request.body))
        } catch let error as RequestError {
            throw error
        } catch {
            throw RequestError.notJSON(
                BilingualText(
                    zh: "\(request.body.count) 字节，应为一个对象", en: "\(request.body.count) bytes, one object is needed"))
        }
        guard fields.count == look.members else {
            throw RequestError.notJSON(BilingualText(zh: "同一字段出现多次", en: "a field is there more than once"))
        }
        for name in fields.keys.sorted() where !known.contains(name) {
            throw RequestError.unknownField(String(name.prefix(60)), known: known)
        }
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

/// What a field may hold here. What is in an array or object is not looked at: no field takes one.
enum JSONScalar: Decodable, Sendable {
    case null
    case bool(Bool)
    case string(String)
    /// A number, an array or an object.
    case other

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else {
            self = .other
        }
    }
}
