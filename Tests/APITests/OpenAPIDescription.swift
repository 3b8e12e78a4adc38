// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import API

/// `/openapi.json` as a promise that answers are held against: of the words of JSON Schema those that it uses.
struct OpenAPIDescription {
    private let document: [String: Any]
    let paths: [String: [String: Any]]

    init() throws {
        let bytes = Documents.description(of: "0")
        document = try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
        paths = try #require(document["paths"] as? [String: [String: Any]])
    }

    static let methods: Set<String> = ["get", "post", "delete", "put", "patch"]

    /// Every call there is, as `GET /tasks/{id}`.
    var calls: Set<String> {
        Set(
            paths.flatMap { path, item in item.keys.filter(Self.methods.contains).map { "\($0.uppercased()) \(path)" } }
        )
    }

    /// - Returns: what is wrong with an answer, a sentence each; `nil` where the path is none of the description's.
    func faults(of method: String, _ path: String, status: Int, body: [UInt8], contentType: String?) throws -> [String]?
    {
        let given = path.prefix { $0 != "?" }.split(separator: "/", omittingEmptySubsequences: false)
        // `/restore/undo` before `/{…}`.
        let matching = paths.keys.filter { Self.matches(given, $0) }.min {
            $0.filter { $0 == "{" }.count < $1.filter { $0 == "{" }.count
        }
        guard let matching, let call = paths[matching]?[method.lowercased()] as? [String: Any] else { return nil }
        guard let answers = call["responses"] as? [String: Any], let answer = answers["\(status)"] as? [String: Any]
        else {
            return ["\(method) \(matching) answers \(status), which is not described"]
        }
        let content = resolved(answer)["content"] as? [String: Any] ?? [:]
        let type = contentType?.prefix { $0 != ";" }.trimmingCharacters(in: .whitespaces) ?? ""
        if content.isEmpty { return body.isEmpty ? [] : ["\(method) \(matching) \(status) has a content"] }
        guard let described = content[type] as? [String: Any] else {
            return ["\(method) \(matching) \(status) is \(type)"]
        }
        guard let schema = described["schema"] as? [String: Any] else { return [] }
        let value = try JSONSerialization.jsonObject(with: Data(body), options: [.fragmentsAllowed])
        return faults(of: value, schema, at: "\(method) \(matching) \(status)")
    }

    private static func matches(_ given: [Substring], _ template: String) -> Bool {
        let parts = template.split(separator: "/", omittingEmptySubsequences: false)
        return parts.count == given.count && zip(parts, given).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
    }

    private func resolved(_ schema: [String: Any]) -> [String: Any] {
        guard let reference = schema["$ref"] as? String else { return schema }
        let parts = reference.dropFirst(2).split(separator: "/").map(String.init)
        let found = parts.reduce(document as Any?) { ($0 as? [String: Any])?[$1] } as? [String: Any]
        return found ?? ["enum": [reference]]
    }

    private func faults(of value: Any, _ schema: [String: Any], at place: String) -> [String] {
        let schema = resolved(schema)
        if let choices = schema["enum"] as? [String], !choices.contains(value as? String ?? "") {
            return ["\(place) is \(value), none of \(choices)"]
        }
        switch schema["type"] as? String {
        case "object":
            guard let object = value as? [String: Any] else { return ["\(place) is no object"] }
            let properties = schema["properties"] as? [String: [String: Any]] ?? [:]
            let missing = (schema["required"] as? [String] ?? []).filter { object[$0] == nil }
            var found = missing.map { "\(place) lacks \($0)" }
            for (name, member) in object {
                if let property = properties[name] {
                    found += faults(of: member, property, at: "\(place).\(name)")
                } else if let rest = schema["additionalProperties"] as? [String: Any] {
                    found += faults(of: member, rest, at: "\(place).\(name)")
                } else {
                    // Of what is described all is: who reads the description is to know each member.
                    found.append("\(place).\(name) is not described")
                }
            }
            return found
        case "array":
            guard let list = value as? [Any] else { return ["\(place) is no list"] }
            let items = schema["items"] as? [String: Any] ?? [:]
            return list.enumerated().flatMap { faults(of: $1, items, at: "\(place)[\($0)]") }
        case "string": return value is String ? [] : ["\(place) is no string"]
        case "boolean": return (value as? NSNumber).map(Self.isBoolean) == true ? [] : ["\(place) is no boolean"]
        case "integer", "number":
            guard let number = value as? NSNumber, !Self.isBoolean(number) else { return ["\(place) is no number"] }
            if let least = schema["minimum"] as? NSNumber, number.doubleValue < least.doubleValue {
                return ["\(place) is \(number)"]
            }
            if let most = schema["maximum"] as? NSNumber, number.doubleValue > most.doubleValue {
                return ["\(place) is \(number)"]
            }
            return []
        default: return []
        }
    }

    private static func isBoolean(_ number: NSNumber) -> Bool { String(cString: number.objCType) == "c" }
}
