// SPDX-License-Identifier: Apache-2.0

import Service
import SystemIO
import TestSupport
import Testing

@Suite struct DockerEngineTests {
    @Test(arguments: ["", "docker.sock", "unix://relative", "http://x", "tcp://", "tcp://user:secret@proxy:2375"])
    func anAddressThatIsNoneIsRefused(_ host: String) throws {
        #expect(DockerEngine(host: host) == nil)
        #expect(throws: SettingsError.self) {
            try Settings.read(environment: ["DOCKER_HOST": host.isEmpty ? "x" : host])
        }
    }

    @Test(arguments: ["../etc", "a/b", "a?t=0", "-x", "a b", "a\u{0}b"])
    func aContainerNameCannotBecomeAnotherRequest(_ name: String) throws {
        #expect(throws: SettingsError.self) { try Settings.read(environment: ["MLFLOW_CONTAINER": name]) }
    }

    @Test func withoutASocketDockerIsNotReachableAndSaysWhy() throws {
        let folder = try TemporaryFolder("docker")
        let engine = try #require(DockerEngine(host: "unix://\(folder.path.appending("none.sock"))"))
        #expect(!engine.isReachable)
        #expect(throws: DockerError.self) { try engine.stop("mlflow-server") }
    }
}
