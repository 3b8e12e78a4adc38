// SPDX-License-Identifier: Apache-2.0

import Backup
import Glibc
import SystemIO
import Wording

/// Shows where long work is: a bar that redraws itself on a terminal, a plain line for each phase elsewhere.
final class ProgressBar: Sendable {
    private struct State {
        var lastPhase: Progress.Phase?
        var lastDraw: UInt64 = 0
        var isDrawn = false
    }

    private let console: Console
    private let state = Monitor(State())

    init(_ console: Console) { self.console = console }

    func show(_ progress: Progress) {
        state.withLock { state in
            let isNewPhase = progress.phase != state.lastPhase
            guard console.drawsProgress else {
                if isNewPhase { console.note(progress.phase.text) }
                state.lastPhase = progress.phase
                return
            }
            let now = MonotonicTime.nanoseconds()
            guard isNewPhase || now - state.lastDraw > 100_000_000 else { return }
            state.lastPhase = progress.phase
            state.lastDraw = now
            state.isDrawn = true
            console.write("\r\u{1b}[2K" + line(progress), to: STDERR_FILENO)
        }
    }

    /// Clears the line, so that what follows stands alone.
    func finish() {
        state.withLock { state in
            if state.isDrawn { console.write("\r\u{1b}[2K", to: STDERR_FILENO) }
            state.isDrawn = false
        }
    }

    private func line(_ progress: Progress) -> String {
        let text = progress.phase.text[console.language]
        // A terminal line must not wrap, or it cannot be redrawn; a detail may be a long name.
        let detail = Printable.text(progress.detail.prefix(30))
        guard let part = progress.fraction else { return "\(text) \(detail)" }
        let fraction = min(max(part.isNaN ? 0 : part, 0), 1)
        let width = 24
        let filled = Int((fraction * Double(width)).rounded())
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
        return "\(bar) \(Int(fraction * 100))% \(text) \(detail)"
    }
}
