// SPDX-License-Identifier: Apache-2.0

import Archive
import SystemIO
import Testing

@Suite("What the fuzzer found stays found")
struct FuzzCorpusTests {
    private static func inputs(in folder: FilePath) throws -> [String] {
        try Directory.names(in: folder).map { String(decoding: $0, as: UTF8.self) }.sorted()
    }

    @Test(
        "every input of the corpus is read or refused, and none ends the program",
        arguments: ["corpus", "corpus-grown"])
    func corpusIsHarmless(name: String) throws {
        let corpus = FilePath(#filePath).parent.parent.parent.appending("Fuzz").appending(name)
        let scratch = try Scratch()
        let inputs = try Self.inputs(in: corpus)
        #expect(name != "corpus" || inputs.contains("ours") && inputs.contains("found-inflate-past-the-end"))
        #expect(inputs.count >= 10)
        for input in inputs {
            // The first byte tells the fuzzer what the rest is.
            let bytes = try OpenFile(corpus.appending(input), .read).readAll().dropFirst()
            let file = scratch.path.appending(input)
            try OpenFile(file, .createNew(mode: 0o600)).write(Array(bytes))
            let refusal = try Refusal.of { _ = try ContentVerifier().verify(TarGzipReader(file)) }
            if input.hasPrefix("found-") { #expect(refusal != nil, "\(input)") }
            let folder = try scratch.folder(input + ".one")
            let crew = try scratch.folder(input + ".crew")
            _ = try Refusal.of {
                _ = try Extractor([.init(.artifacts, into: folder)]).extract(TarGzipReader(file))
            }
            _ = try Refusal.of {
                let archive = try IndexedArchive(file)
                _ = try ArchiveCheck(archive, threads: 2).run()
                _ = try ParallelExtractor([.init(.artifacts, into: crew)], threads: 2).extract(archive)
            }
        }
    }
}
