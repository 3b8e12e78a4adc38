// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import SystemIO
import TestSupport
import Testing

/// `docker/backup/bin/supervise` itself, with stubs in the place of cron and of the program, under a root of its own.
@Suite("The container's first process says what is, and ends what runs in good order", .besideThePool)
struct SuperviseTests {
    private let script: StackScript
    private var root: FilePath { script.folder.path }

    init() throws {
        try needs(geteuid() == 0, "as root, as in the container")
        script = try StackScript()
        try Shell.sh(
            """
            cd '\(root)' && mkdir -p app/libexec programs run/mlflow-secrets var/log/cron mlflow/artifacts backup sys/fs/cgroup
            cp -r '\(StackScript.checkout)/docker/backup/'* app/
            chown 3110 backup
            printf 'oom 0\\noom_kill 0\\n' >sys/fs/cgroup/memory.events
            """)
        try program("setpriv", "exit 0")
        try program("crontab", "cat >\"$SUPERVISE_ROOT/crontab\"")
        try program("cron", "exec sleep 60")
        try program("mlflow-backup", Self.wellProgram)
    }

    private static let wellProgram =
        "case $* in schedule | *--check) exit 0 ;; serve*) echo $$ >\"$SUPERVISE_ROOT/service.pid\"; echo started >>\"$SUPERVISE_ROOT/starts\"; exec sleep 60 ;; esac"

    private func program(_ name: String, _ text: String) throws {
        try TemporaryFolder.write(program: root.appending("programs/\(name)"), "#!/bin/bash\n\(text)\n")
    }

    /// Runs it in the background with a line of bash beside it, and stops it.
    private func supervise(_ beside: String, _ environment: [String: String] = [:]) throws -> StackScript.Answer {
        let settings = [
            "SUPERVISE_ROOT": root.string, "BACKUP_DIR": "\(root)/backup", "PATH": "\(root)/programs:/usr/bin:/bin",
        ]
        return try script.bash(
            """
            app/bin/supervise & main=$!
            until_there() { for _ in {1..200}; do if eval "$1"; then return; fi; sleep 0.1; done; echo "never: $1"; }
            \(beside)
            kill -TERM $main 2>/dev/null; wait $main; echo "supervise $?"
            """, settings.merging(environment) { $1 })
    }

    private func health() throws -> StackScript.Answer {
        try script.bash("app/bin/healthcheck", ["SUPERVISE_ROOT": root.string])
    }

    @Test("A door that is refused ends no backups, and a setting that nobody takes ends them: each is said")
    func refusals() throws {
        for (schedule, said, unsaid) in [
            (0, "scheduled backups go on", "no scheduled backup"), (2, "no scheduled backup is made", "go on"),
        ] {
            // The start was well; a secret has become bad since.
            try program(
                "mlflow-backup",
                "case $* in schedule) [[ ! -e bad ]] || { echo 'BACKUP_PING_URL bad'; exit \(schedule); } ;; *--check) [[ ! -e bad ]] || { echo 'BACKUP_PING_URL bad'; exit 2; } ;; serve*) exec sleep 60 ;; esac"
            )
            let answer = try supervise(
                """
                rm -f bad; until_there '[[ -e run/mlflow-backup/cron.pid ]]'; sleep 0.5
                touch bad; echo new >run/mlflow-secrets/revision; until_there '[[ -s run/mlflow-backup/refused ]]'
                app/bin/healthcheck; echo "health $?"
                """)
            #expect(answer.text.contains(said) && !answer.text.contains(unsaid), "\(answer.text)")
            #expect(answer.text.contains("health 1") && answer.text.contains("BACKUP_PING_URL bad"), "\(answer.text)")
            try Shell.sh("rm -r '\(root)/run/mlflow-backup' '\(root)/run/mlflow-secrets/revision'")
        }
    }

    /// A real process named as the program is; it takes three seconds to end.
    private static let backup =
        "bash -c 'exec -a \"'$PWD'/app/libexec/mlflow-backup backup --scheduled\" perl -e '\\''$SIG{TERM} = sub { sleep 3; open(F, \">ended\"); exit 0 }; open(F, \">running\"); sleep 50 while 1'\\''' &"

    @Test("A stop asks a backup of cron's to end, and waits until it has")
    func stop() throws {
        let answer = try supervise(
            """
            \(Self.backup)
            until_there '[[ -e running && -e starts ]]'
            kill -TERM $main; wait $main; status=$?; ls ended; echo "ended $status"
            """)
        #expect(answer.text.contains("ended\nended 0\n"), "\(answer.text)")
    }

    @Test("Where the service ends by itself a running backup ends in good order, too")
    func serviceEnds() throws {
        let answer = try supervise(
            """
            \(Self.backup)
            until_there '[[ -e running && -e starts ]]'
            kill $(cat service.pid); wait $main; status=$?; ls ended; echo "ended $status"
            """)
        #expect(answer.text.contains("ended\nended 1\n"), "\(answer.text)")
    }

    @Test("A backup that does not end keeps no container beyond its grace")
    func stubborn() throws {
        let answer = try supervise(
            """
            bash -c 'exec -a "'$PWD'/app/libexec/mlflow-backup backup" perl -e '\\''$SIG{TERM} = "IGNORE"; open(F, ">running"); sleep 50'\\''' & backup=$!
            until_there '[[ -e running && -e starts ]]'
            kill -TERM $main; wait $main; echo "ended $?"; kill -9 $backup
            """, ["SUPERVISE_GRACE": "2"])
        #expect(answer.text.contains("ended 0\n"), "\(answer.text)")
    }

    @Test(
        "A service that the kernel ends for want of memory is told as that, and starts again after a pause",
        arguments: ["sys/fs/cgroup/memory.events", "sys/fs/cgroup/memory/memory.oom_control"])
    func memory(_ counter: String) throws {
        try Shell.sh("rm '\(root)/sys/fs/cgroup/memory.events'; mkdir -p '\(root)/sys/fs/cgroup/memory'")
        try script.folder.write(counter, "under_oom 0\noom_kill 0\n")
        let answer = try supervise(
            """
            until_there '[[ -e starts ]]'
            printf 'under_oom 0\\noom_kill 1\\n' >\(counter); kill -KILL $(cat service.pid)
            until_there '[[ -s run/mlflow-backup/memory ]]'
            app/bin/healthcheck; echo "health $?"; wc -l <starts
            until_there '[[ $(wc -l <starts) -eq 2 ]]'
            """, ["SUPERVISE_PAUSE": "7"])
        #expect(answer.text.contains("BACKUP_MEMORY"), "\(answer.text)")
        #expect(answer.text.contains("health 1\n1\n") && answer.text.hasSuffix("supervise 0\n"), "\(answer.text)")
        #expect(!answer.text.contains("never:"), "\(answer.text)")
    }

    @Test("What cron does not take is said with what it would take, and commands are named where they help")
    func schedule() throws {
        try program("crontab", "cat >/dev/null; echo 'bad minute' >&2; exit 1")
        let refused = try supervise("sleep 0.5", ["BACKUP_SCHEDULE": "5/15 * * * *"])
        #expect(refused.text.contains("5/15 * * * *") && refused.text.contains("5-59/15"), "\(refused.text)")
        #expect(refused.text.hasSuffix("supervise 1\n"))
        for (answer, isNamed) in [("BACKUP_SCHEDULE=99 bad", false), ("run mlflow-backup claim", true)] {
            try program("mlflow-backup", "echo '\(answer)' >&2; exit 2")
            let failed = try supervise("sleep 0.5")
            #expect(failed.text.contains(answer) && failed.text.hasSuffix("supervise 1\n"), "\(failed.text)")
            #expect(failed.text.contains("docker-compose run") == isNamed, "\(failed.text)")
        }
    }
}
