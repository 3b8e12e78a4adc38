// SPDX-License-Identifier: Apache-2.0

import Backup
import Service
import Wording

/// Verifications one after the other, told of as they end; with `--json` as one document, a list, when all have.
struct VerifyReport {
    private enum Row: Encodable {
        case good(ResultRepresentation)
        case bad(ErrorRepresentation)

        func encode(to encoder: any Encoder) throws {
            switch self {
            case .good(let row): try row.encode(to: encoder)
            case .bad(let row): try row.encode(to: encoder)
            }
        }
    }

    private let invocation: Invocation
    private let operation: RecordedOperation
    private let isJSON: Bool
    private var rows: [Row] = []

    init(_ invocation: Invocation, _ operation: RecordedOperation) {
        self.invocation = invocation
        self.operation = operation
        isJSON = invocation.arguments.has("json")
    }

    /// - Returns: why it failed; `nil` where the backup is good.
    mutating func verify(_ name: String) -> (any Error)? {
        do {
            let result = try operation.perform(.verify(name))
            if isJSON {
                rows.append(.good(ResultRepresentation(result, invocation.console.language)))
            } else {
                operation.report(result)
            }
            return nil
        } catch {
            return error
        }
    }

    mutating func tell(_ error: any Error, of name: String) {
        invocation.console.error(error.atTheTerminal)
        if isJSON { rows.append(.bad(ErrorRepresentation(error, invocation.console.language, backup: name))) }
    }

    func finish() { if isJSON { invocation.console.answer(JSONText.of(rows)) } }
}
