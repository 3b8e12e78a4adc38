// SPDX-License-Identifier: Apache-2.0

import SystemIO
import TestSupport
import Testing

@Suite("What doctor says beside whether a backup can be made")
struct DoctorTests {
    @Test("The lost mark of the artifacts folder is told by doctor and by /health, until claim has written it again")
    func lostMark() throws {
        let live = try ServiceFixture("doctor_mark")
        try live.backup()
        let mark = live.service.operations.stack.artifacts.appending(".mlflow-backup-stack")
        #expect(try !live.command(["doctor"]).output.contains(mark.string))
        try Directory.remove(mark)
        let doctor = try live.command(["doctor"])
        #expect(doctor.exit == .code(0) && doctor.output.contains(mark.string), "\(doctor.output)\(doctor.errors)")
        #expect(try live.send("GET", "/health").text.contains(mark.string))
        #expect(try live.command(["claim"]).exit == .code(0))
        #expect(try !live.command(["doctor"]).output.contains(mark.string))
    }
}
