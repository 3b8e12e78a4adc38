// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import SystemIO
import Wording

// The archive engine alone, without PostgreSQL and MLflow, for benchmarks, fuzzing by hand and the correctness suite.
// Not installed; `mlflow-backup` is the program for people.

let usage = """
    usage: archive-bench create TREE ARCHIVE [--previous ARCHIVE] [--threads N] [--level L]
           archive-bench extract ARCHIVE DIR [--threads N] [--existing TREE] | cat ARCHIVE PATH | verify ARCHIVE [--threads N]

    """

struct Usage: Error {}

func complain(_ text: String) { _ = text.withCString { write(2, $0, strlen($0)) } }

func option(_ name: String, in arguments: inout [String]) throws -> String? {
    guard let place = arguments.firstIndex(of: "--" + name) else { return nil }
    guard place + 1 < arguments.count else { throw Usage() }
    defer { arguments.removeSubrange(place...(place + 1)) }
    return arguments[place + 1]
}

func create(_ tree: FilePath, _ archive: FilePath, previous: FilePath?, threads: Int, level: UInt32) throws -> String {
    let partial = FilePath(bytes: archive.bytes + Array(DurableFile.partialSuffix.utf8))
    let writer = try TarGzipWriter(creating: partial, previous: previous, level: level, threads: threads)
    let report = try TreeArchiver(into: writer).add(tree: tree, as: .artifacts)
    if let previous, try writer.equalsPrevious() {
        try Directory.remove(partial)
        try Directory.link(previous, as: archive)
        try Directory.sync(archive.parent)
        let size = try FileStatus.of(archive).size
        return #"{"bytes":\#(size),"cloned_bytes":\#(size),"copied_bytes":0,"linked":true,"files":\#(report.files)}"#
    }
    try writer.endSection()
    try writer.add(ArchiveEntry(path: .manifest, kind: .file, mode: 0o644, modified: .now()), bytes: Array("{}\n".utf8))
    let summary = try writer.finish()
    try DurableFile.publish(partial, as: archive)
    return #"{"bytes":\#(summary.size),"cloned_bytes":\#(summary.sharing.cloned),"#
        + #""copied_bytes":\#(summary.sharing.copied),"linked":false,"files":\#(report.files),"#
        + #""reused_files":\#(report.reusedFiles)}"#
}

func run(_ given: [String]) throws -> Int32 {
    var rest = given
    let threads = try option("threads", in: &rest).flatMap(Int.init) ?? sysconf(Int32(_SC_NPROCESSORS_ONLN))
    let level = try option("level", in: &rest).flatMap(UInt32.init) ?? 2
    let previous = try option("previous", in: &rest).map { FilePath($0) }
    let existing = try option("existing", in: &rest).map {
        Extractor.Route.Existing(FilePath($0), stillSince: FileTime(seconds: FileTime.now().seconds - 2))
    }
    guard rest.count >= 2 else { throw Usage() }
    let first = FilePath(rest[1])
    switch (rest[0], rest.count) {
    case ("create", 3):
        print(try create(first, FilePath(rest[2]), previous: previous, threads: threads, level: level))
    case ("extract", 3):
        let folder = FilePath(rest[2])
        try Directory.make(folder)
        let outcome = try ParallelExtractor(
            [.init(.artifacts, into: folder, existing: existing)], threads: threads
        ).extract(IndexedArchive(first))
        print(#"{"files":\#(outcome.files),"bytes":\#(outcome.bytes),"kept":\#(outcome.kept.count)}"#)
    case ("cat", 3):
        guard let path = EntryPath(rest[2]) else { throw Usage() }
        let output = OpenFile(adopting: dup(1), path: "standard output")
        guard try IndexedArchive(first).copy(path, to: { try output.write($0) }) else { return 1 }
    case ("verify", 2):
        let damaged = try ArchiveCheck(IndexedArchive(first), threads: threads).run()
        for member in damaged { print("damaged at byte \(member.offset): \(member.files.map(\.description))") }
        return damaged.isEmpty ? 0 : 1
    default: throw Usage()
    }
    return 0
}

do {
    exit(try run(Array(CommandLine.arguments.dropFirst())))
} catch is Usage {
    complain(usage)
    exit(2)
} catch {
    complain("archive-bench: \(error.bilingual[.english])\n")
    exit(1)
}
