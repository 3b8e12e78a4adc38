// SPDX-License-Identifier: Apache-2.0

/// One statement, written as a string literal whose interpolations can never become SQL text by themselves.
///
///     "select name from experiments where experiment_id = \(id)"        // bound as $1
///     "select count(*) from \(identifier: table)"                       // quoted as a name
///     "alter database \(identifier: name) set timezone to \(literal: zone)" // where the grammar allows no parameter
package struct SQL: ExpressibleByStringInterpolation, Sendable, Equatable {
    enum Piece: Sendable, Equatable {
        case text(String)
        /// In PostgreSQL's text format; nil is NULL.
        case parameter(String?)
    }

    private(set) var pieces: [Piece]

    package init(stringLiteral value: String) { pieces = [.text(value)] }
    package init(stringInterpolation: Interpolation) { pieces = stringInterpolation.pieces }

    package static func + (lhs: SQL, rhs: SQL) -> SQL {
        var joined = lhs
        joined.pieces += rhs.pieces
        return joined
    }

    /// The text of a piece without values, for a database of another kind that understands it, too.
    package var constant: String {
        pieces.map { piece in
            guard case .text(let text) = piece else {
                preconditionFailure("a value in what is the same for every database")
            }
            return text
        }.joined()
    }

    /// The text for the server, with `$1`, `$2`, …, and the values for them.
    func rendered() throws(PostgresError) -> (text: String, parameters: [String?]) {
        var text = ""
        var parameters: [String?] = []
        for piece in pieces {
            switch piece {
            case .text(let part): text += part
            case .parameter(let value):
                // A C string would end there without a word.
                if let value, value.utf8.contains(0) { throw .nulByte(text: Self.shown(value)) }
                parameters.append(value)
                text += "$\(parameters.count)"
            }
        }
        if text.utf8.contains(0) { throw .nulByte(text: Self.shown(text)) }
        return (text, parameters)
    }

    private static func shown(_ text: String) -> String { text.split(separator: "\0").joined(separator: "\\0") }
}
