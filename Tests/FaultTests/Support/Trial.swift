// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import SystemIO
import TestSupport

/// One operation under one fault, and everything that must hold afterwards.
struct Trial {
    let stack: FaultStack
    let operation: Operation
    /// The names that are left when the operation meets no fault.
    let usual: Set<String>

    struct Verdict {
        /// A line each.
        let wrong: [String]
        /// Whether the step came at which the fault lay in wait.
        let isHit: Bool
    }

    func run(_ fault: Fault) -> Verdict {
        do {
            try stack.reset(live: operation.changesLive)
            try operation.before(stack)
            let before = Before(listing: try Listing(stack.program), live: operation.replacesLive ? nil : stack.live())
            let ended = try stack.program.run(operation.arguments(stack), fault)
            return Verdict(wrong: try judge(ended, fault, before), isHit: ended.hit)
        } catch {
            return Verdict(wrong: ["\(error)"], isHit: true)
        }
    }

    /// What was so when the operation began.
    private struct Before {
        let listing: Listing
        /// `nil` where the operation is to replace it.
        let live: String?
    }

    private func judge(_ ended: Program.Ended, _ fault: Fault, _ before: Before) throws -> [String] {
        var wrong: [String] = []
        let live = stack.live()
        if ended.succeeded { wrong += try broken(promiseOf: fault, ended, before, live) }
        if !ended.hit, !ended.succeeded { wrong.append("no fault was met and it failed: \(ended.saying)") }
        wrong += try unfoundedClaims()

        let recovered = try stack.program.run(["recover"])
        if !recovered.succeeded { wrong.append("recover: \(recovered.saying)") }
        let afterwards = stack.live()
        if !allowed(afterwards, before) { wrong.append("after recover the live data is \(stack.named(afterwards))") }
        // The program was alive to put things right, or to say that it could not.
        if case .code = ended.exit, !ended.succeeded, !allowed(live, before), !fault.staysDead,
            operation.promise != .settled
        {
            wrong.append("after its failure the live data is \(stack.named(live)): \(ended.saying)")
        }
        // A minute later: of two in one second, the second would wait.
        let backup = try stack.program.later(60).run(["backup", "--quiet", "--max-backups", "1000"])
        // What was not accepted makes the next one suspicious, too, as its own exit status says.
        let isSuspicious = operation.title == "accept" && !ended.succeeded && backup.exit == .code(8)
        if !backup.succeeded, !isSuspicious { wrong.append("the next backup: \(backup.saying)") }
        if stack.live() != afterwards { wrong.append("the next backup changed the live data") }
        wrong += try Remains(stack.ground).found()
        wrong += try lostBackups(fault, before.listing)
        return wrong
    }

    private func allowed(_ state: String, _ before: Before) -> Bool {
        operation.replacesLive ? state == stack.old || state == stack.new : state == before.live
    }

    /// Exit status 0 was given: is it so?
    private func broken(
        promiseOf fault: Fault, _ ended: Program.Ended, _ before: Before, _ live: String
    ) throws -> [String] {
        var wrong: [String] = []
        func expect(_ holds: Bool, _ what: String) {
            if !holds { wrong.append("exit status 0, but \(what)") }
        }
        let listing = try Listing(stack.program)
        switch operation.promise {
        case .backup:
            let made = Set(listing.names).subtracting(before.listing.names)
            expect(made.count == 1 && made.allSatisfy { listing.status[$0] == "completed" }, "no backup was made")
        case .restored: expect(live == stack.new, "the live data is \(stack.named(live))")
        case .undone: expect(live == stack.old, "the live data is \(stack.named(live))")
        case .settled: expect(allowed(live, before), "the live data is \(stack.named(live))")
        case .pruned:
            // What cannot be read is not known to be good, so it may stay, and keep others.
            let left = Set(listing.names)
            expect(left == usual || fault.kind == .read && left.isSuperset(of: usual), "left are \(left)")
        case .checked:
            expect(listing.status.values.allSatisfy { $0 == "completed" }, "the list says \(listing.status)")
            let place = (fault.pattern ?? "").split(separator: "/")
            let readsBackup =
                fault.kind == .read && fault.call?.hasSuffix("read") == true
                && place.count > 1 && place[1].hasPrefix("mlflow_backup_")
                && !(place.count == 2 && place[1].hasSuffix(".json"))
            expect(!(ended.hit && readsBackup), "a byte could not be read")
        case .claimed: break
        case .accepted:
            expect(listing.status.values.allSatisfy { $0 == "completed" }, "the list says \(listing.status)")
        }
        // What could not be brought to the disk may be gone after a power cut, whatever can be read at the moment. The
        // journal is no result: where its last stage is lost, the next run finishes what is done already.
        if ended.hit, case .error(let code) = fault.action, ["fsync", "fdatasync", "syncfs"].contains(fault.call),
            let place = fault.pattern, !place.contains("/tasks.sqlite"), !place.hasSuffix("/lock"),
            // A recovery that meets it goes back, or is tried again by the next operation.
            !place.contains("journal"), !isAfterTheSwap(place, code), operation.promise != .settled,
            try !isLeftToNext(place, ended), !isFurtherNote(place, ended),
            !isNoteOfReading(place),
            fault.call != "fdatasync"
        {
            expect(false, "\(fault.call ?? "") of \(place) failed: \(ended.saying)")
        }
        return wrong
    }

    /// A restore that could not bring the names of its journal or of what it keeps to the disk fails before the swap; after it,
    /// it has its journal still, or has it again after a power cut, and the next run finishes it.
    /// Where the disk is full then, the record of before the swap stays, which lacks what the task says of late files.
    private func isAfterTheSwap(_ place: String, _ code: Int32) -> Bool {
        guard [.restored, .undone].contains(operation.promise) else { return false }
        return ["artifacts/.mlflow-backup-restore", "backups/.mlflow-backup"].contains(place)
            || [ENOSPC, EDQUOT].contains(code) && place.hasPrefix("backups/.mlflow-backup/kept-*.json")
    }

    /// The record of what is kept could not be written again after the swap: the journal is there still, the task says so, and
    /// the next run finishes it.
    private func isLeftToNext(_ place: String, _ ended: Program.Ended) throws -> Bool {
        guard [.restored, .undone].contains(operation.promise), place.hasPrefix("backups/.mlflow-backup/kept-*.json")
        else { return false }
        // The journal's name has the restore's own in it. One that is written only in part is none.
        let state = try Directory.names(in: stack.backups.appending(".mlflow-backup")).map {
            String(decoding: $0, as: UTF8.self)
        }
        return state.contains { $0.hasPrefix("restore-journal") && $0.hasSuffix(".json") }
            && (ended.output + ended.errors).contains("the next operation finishes what is left to do")
    }

    /// An acceptance is noted beside several backups, so that the loss of one note loses nothing; where a further one cannot be
    /// written, that is said.
    private func isFurtherNote(_ place: String, _ ended: Program.Ended) -> Bool {
        operation.promise == .accepted && (place == "backups" || place.hasPrefix("backups/mlflow_backup_"))
            && ended.errors.contains("acceptance is not noted beside a backup")
    }

    /// That a backup was read is noted in its sidecar; a restore from a folder that takes no notes is a restore.
    private func isNoteOfReading(_ place: String) -> Bool {
        [.restored, .undone].contains(operation.promise)
            && (place == "backups" || place.hasPrefix("backups/mlflow_backup_") && place.hasSuffix(".json.*.partial"))
    }

    /// Names that the list calls completed, and that do not verify.
    private func unfoundedClaims() throws -> [String] {
        var wrong: [String] = []
        for (name, status) in try Listing(stack.program).status where status == "completed" {
            if let known = stack.contents[name], try Ground.contents([name], in: stack.backups)[name] == known {
                continue
            }
            let ended = try stack.program.run(["verify", "--quiet", name])
            if !ended.succeeded { wrong.append("\(name) is listed as completed: \(ended.saying)") }
        }
        return wrong
    }

    /// The good ones of before must be there, completed and the same.
    private func lostBackups(_ fault: Fault, _ before: Listing) throws -> [String] {
        var wrong: [String] = []
        let listing = try Listing(stack.program)
        for (name, content) in stack.contents where before.status[name] == "completed" {
            if listing.status[name] == nil {
                if operation.promise == .pruned, !usual.contains(name) { continue }
                wrong.append("\(name) is gone")
                continue
            }
            if try Ground.contents([name], in: stack.backups)[name] != content {
                wrong.append("\(name) has other bytes")
            } else if listing.status[name] != "completed" {
                // An error while it is read is its damage, until it can be read again.
                guard fault.kind == .read || fault.staysDead else {
                    wrong.append("\(name) is \(listing.status[name] ?? "")")
                    continue
                }
                let ended = try stack.program.run(["verify", "--quiet", name])
                if !ended.succeeded { wrong.append("\(name) can be read again: \(ended.saying)") }
            }
        }
        for (name, status) in listing.status where stack.contents[name] == nil && status != "completed" {
            if operation.title == "accept", status == "suspicious" { continue }
            wrong.append("\(name) is \(status) after the next run")
        }
        return wrong
    }
}
