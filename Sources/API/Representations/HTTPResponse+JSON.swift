// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import HTTPServer

extension HTTPResponse {
    static func json(_ value: some Encodable, status: Int = 200) -> HTTPResponse {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return HTTPResponse(
                status: status, contentType: "application/json",
                bytes: Array(try encoder.encode(value)) + [UInt8(ascii: "\n")])
        } catch {
            // Our own values have nothing that JSON lacks (no NaN); if one ever has, that is a mistake to see.
            return HTTPResponse(status: 500, contentType: "application/problem+json", bytes: Array(unencodable.utf8))
        }
    }

    /// In the form of a `Problem`, which this may have been.
    private static let unencodable = """
        {"code":"internal","detail":"The answer could not be written as JSON.","status":500,"title":"Internal error",\
        "type":"\(DocumentationRoutes.errors)#internal"}

        """
}
