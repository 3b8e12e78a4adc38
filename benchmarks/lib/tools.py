# SPDX-License-Identifier: Apache-2.0
"""The programs that are compared. All of them pack a folder named `artifacts` by a relative name,
so that inside every archive a file has the same path."""
import json
import os
import subprocess

CORES = os.cpu_count()
PACKAGES = {"restic": "restic", "borg": "borgbackup", "igzip": "isal", "pigz": "pigz", "zstd": "zstd",
            "mkfs.xfs": "xfsprogs", "/usr/bin/time": "time",
            "/usr/lib/python3/dist-packages/matplotlib": "python3-matplotlib"}


class Tool:
    """One program with its store in `home`. `home` holds the caches too, so a copy of it is the whole state."""
    incremental = False
    slow = False

    def __init__(self, home):
        self.home = home

    def environment(self):
        # A set time zone, language and home folder: no settings of the caller's take part.
        return {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": str(self.home)}

    def prepare(self):
        self.home.mkdir(parents=True)

    def first(self, tree):
        raise NotImplementedError

    def stored(self):
        """Bytes of the backups, without caches."""
        return sum(os.lstat(os.path.join(folder, name)).st_size
                   for folder, _, names in os.walk(self.store) for name in names)


class TarPipe(Tool):
    def __init__(self, home, key):
        super().__init__(home)
        self.key = key
        self.slow = key == "tar czf"
        self.label, self.packer, suffix = {
            "tar czf": ("tar czf", None, "gz"),
            "pigz": (f"tar | pigz -p{CORES}", ["pigz", f"-p{CORES}"], "gz"),
            "igzip": ("tar | igzip -1", ["igzip", "-1", "-c"], "gz"),
            "zstd": (f"tar | zstd -T{CORES} -1", ["zstd", "-q", f"-T{CORES}", "-1", "-c"], "zst"),
            "tar": ("tar xf (plain tar)", ["cat"], "plain"),
        }[key]
        self.store = home / f"artifacts.tar.{suffix}"

    def first(self, tree):
        if self.packer is None:
            return [["tar", "-czf", str(self.store), tree.name]], {"cwd": tree.parent}
        return [["tar", "-cf", "-", tree.name], self.packer], {"cwd": tree.parent, "output": self.store}

    def stored(self):
        return self.store.stat().st_size

    def restore(self, into):
        return [["tar", "-xzf" if self.packer is None else "-xf", str(self.store)]], {"cwd": into}

    def one(self, path):
        return [["tar", "-xzf", str(self.store), "-O", path]], {}


class Restic(Tool):
    key = label = "restic"
    incremental = True

    @property
    def store(self):
        return self.home / "repository"

    def environment(self):
        return super().environment() | {"RESTIC_PASSWORD": "benchmark", "RESTIC_REPOSITORY": str(self.store),
                                        "RESTIC_CACHE_DIR": str(self.home / "cache")}

    def prepare(self):
        super().prepare()
        subprocess.run(["restic", "init", "-q"], check=True, env=self.environment(), stdout=subprocess.DEVNULL)

    def first(self, tree):
        return [["restic", "backup", "-q", tree.name]], {"cwd": tree.parent}

    def again(self, tree, _name):
        return self.first(tree)

    def restore(self, into):
        return [["restic", "restore", "-q", "latest", "--target", str(into)]], {}

    def one(self, path):
        return [["restic", "dump", "-q", "latest", "/" + path]], {}


class Borg(Tool):
    key, label = "borg", "borg (lz4, no encryption)"
    incremental = True

    @property
    def store(self):
        return self.home / "repository"

    def environment(self):
        return super().environment() | {
            "BORG_REPO": str(self.store), "BORG_BASE_DIR": str(self.home / "base"),
            "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes", "BORG_RELOCATED_REPO_ACCESS_IS_OK": "yes"}

    def prepare(self):
        super().prepare()
        subprocess.run(["borg", "init", "--encryption=none"], check=True, env=self.environment(),
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def first(self, tree):
        return self.again(tree, "first")

    def again(self, tree, name):
        return [["borg", "create", "--compression", "lz4", f"::{name}", tree.name]], {"cwd": tree.parent}

    def restore(self, into):
        return [["borg", "extract", "::first"]], {"cwd": into}

    def one(self, path):
        return [["borg", "extract", "--stdout", "::first", path]], {}


class Ours(Tool):
    key, label = "ours", "ours (archive-bench)"
    incremental = True

    def __init__(self, home, program, options):
        super().__init__(home)
        self.program, self.options = str(program), options
        self.newest = "first"

    @property
    def store(self):
        return self.home / "archives"

    def archive(self, name):
        return str(self.store / f"{name}.tar.gz")

    def prepare(self):
        super().prepare()
        self.store.mkdir()

    def first(self, tree):
        return [[self.program, "create", str(tree), self.archive("first"), *self.options]], {}

    def again(self, tree, name):
        return [[self.program, "create", str(tree), self.archive(name), "--previous", self.archive(self.newest),
                 *self.options]], {}

    def restore(self, into):
        # The engine unpacks what is below `artifacts/`; the others make that folder themselves.
        return [[self.program, "extract", self.archive("first"), str(into / "artifacts")]], {}

    def one(self, path):
        return [[self.program, "cat", self.archive("first"), path]], {}

    @staticmethod
    def report(stdout):
        return json.loads(stdout.splitlines()[-1])


def versions(program):
    def line(*command):
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        return (done.stdout + done.stderr).splitlines()[0].strip()
    return {"tar": line("tar", "--version"), "gzip": line("gzip", "--version"), "pigz": line("pigz", "--version"),
            "igzip": line("igzip", "--version"), "zstd": line("zstd", "--version"),
            "restic": line("restic", "version"), "borg": line("borg", "--version"),
            "mkfs.xfs": line("mkfs.xfs", "-V"), "archive-bench (SHA-256)": line("sha256sum", str(program)).split()[0]}
