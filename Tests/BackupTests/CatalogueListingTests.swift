// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO
import TestSupport
import Testing

@testable import Backup

@Suite("A listing that reads only what changed", .onItsOwnThread)
struct CatalogueListingTests {
    @Test("is what a listing is that reads all, whatever was done to the folder in between")
    func sameAsCatalogue() throws {
        let live = try LiveStackFixture("listing")
        let first = try live.backup()
        try live.backup(.uncompressed)
        let folder = live.folder.path
        let (archive, sidecar) = (first.name.string, first.name.sidecar)
        let catalogue = Catalogue(live.folder)
        // Ten seconds on: what was written a moment ago is old enough to be remembered.
        let listing = CatalogueListing(catalogue) { LocalTime.now().epoch + 10 }
        let other = "mlflow_backup_20250101_000000.tar.gz"
        for script in [
            "true", "cp \(archive) \(other)", "cp \(sidecar) \(other).json", "touch \(archive)", "echo x >> \(archive)",
            "truncate -s -2 \(archive)", "sed -i 's/completed/corrupt/' \(sidecar)", "rm \(sidecar)",
            "chmod 600 \(other)",
            "mv \(other) mlflow_backup_20250102_000000.tar.gz", "rm mlflow_backup_20250102_000000.tar.gz",
            // The same size and the same time.
            "touch -r \(archive) stamp; dd if=/dev/zero of=\(archive) bs=1 count=9 conv=notrunc status=none; touch -r stamp \(archive); rm stamp",
            "rm -r $(ls -d */ | head -1)", "mkdir \(other)", "rm -rf \(other)",
        ] {
            try Shell.sh("cd '\(folder)' && \(script)")
            #expect(try listing.items() == catalogue.items(), "\(script)")
            let reads = listing.reads
            #expect(try listing.items() == catalogue.items(), "\(script)")
            // Of the second look only folders are read again, whose content their stamp does not tell.
            let folders = try catalogue.items().count { $0.kind == .uncompressed || $0.shapeFault != nil }
            #expect(listing.reads - reads <= folders, "\(script)")
        }
    }

    @Test("reads what was written a moment ago until its time tells it apart from what comes next")
    func young() throws {
        let live = try LiveStackFixture("listing_young")
        try live.backup()
        let listing = CatalogueListing(Catalogue(live.folder))
        for _ in 1...3 {
            let reads = listing.reads
            #expect(try listing.items().count == 1)
            #expect(listing.reads > reads)
        }
        try Patience.wait("it to be remembered") {
            let reads = listing.reads
            _ = try listing.items()
            return listing.reads == reads
        }
    }
}
