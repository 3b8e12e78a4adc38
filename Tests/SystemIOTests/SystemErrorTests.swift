// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO
import Testing
import Wording

@Suite("What the system says")
struct SystemErrorTests {
    @Test("its reason is Chinese in a Chinese sentence", arguments: [ENOSPC, EACCES, EROFS, EIO, EBUSY, ELOOP, ESTALE])
    func reason(_ code: Int32) {
        let error = SystemError("open", path: "/b", code: code)
        let words = String(cString: strerror(code))
        #expect(error.explanation.english.contains(words) && !error.explanation.chinese.contains(words))
        #expect(error.reasonText.chinese.contains(/^\p{Han}+$/))
    }

    @Test("what has no words of ours keeps the C library's")
    func unknown() {
        let error = SystemError("open", path: "/b", code: EL3RST)
        #expect(error.reasonText.chinese == error.reasonText.english && !error.reason.isEmpty)
    }
}
