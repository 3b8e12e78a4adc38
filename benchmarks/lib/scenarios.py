# SPDX-License-Identifier: Apache-2.0
"""The work that is measured. Within a scenario the programs take turns in every round, so that a slower
hour of the machine meets all of them."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

from . import disks, measure, tools

GENERATE = pathlib.Path(__file__).resolve().parent.parent / "generate.py"
NAMES = ("first", "unchanged", "restore", "cat", "grown", "space", "small")
FIRST = ("tar czf", "pigz", "igzip", "zstd", "restic", "borg", "ours")
INCREMENTAL = ("restic", "borg", "ours")
SETTLE = 3.5  # seconds; younger stamps than this are read again by tools that distrust them
DAYS = 7


def say(text):
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


class Bench:
    def __init__(self, options, program, places):
        """`places`: file system name to a folder on it; "ext4" holds the trees, always."""
        self.options, self.program, self.places = options, program, places
        self.trees, self.tree_bytes, self.stores = {}, [], {}
        self.results, self.space = {}, {}

    # Data and tools

    def generate(self, *arguments):
        done = subprocess.run([sys.executable, GENERATE, *map(str, arguments)], check=True, capture_output=True)
        time.sleep(SETTLE)
        return json.loads(done.stdout)

    def make_tree(self, name, *arguments):
        tree = self.places["ext4"] / f"tree-{name}" / "artifacts"
        say(f"making the {name} tree")
        made = self.generate(tree, "--seed", self.options.seed, *arguments)
        say(f"{made['files']} files, {made['bytes'] / 2**20:.0f} MiB")
        self.trees[name] = tree
        return made

    def grow(self, day):
        percent = self.options.percent
        made = self.generate(self.trees["mixed"], "--grow", "--percent", percent, "--seed", 1000 + day)
        self.tree_bytes.append(self.tree_bytes[-1] + made["bytes"])
        say(f"day {day}: {made['files']} new files, {made['bytes'] / 2**20:.1f} MiB")

    def tool(self, key, home):
        if key == "ours":
            return tools.Ours(home, self.program, self.options.ours_options)
        return {"restic": tools.Restic, "borg": tools.Borg}[key](home) if key in ("restic", "borg") \
            else tools.TarPipe(home, key)

    def timed(self, tool, work, *warm, synced=None):
        commands, keywords = work
        measure.warm(*warm)
        os.sync()
        return measure.run(commands, env=tool.environment(), synced=synced, **keywords)

    def record(self, scenario, tool, done, **more):
        run = {"wall": done.wall, "cpu": done.cpu, "rss": done.rss, "flush": done.flush} | more
        known = self.results.setdefault(scenario, {}).setdefault(tool.key, {"label": tool.label, "runs": []})
        known["runs"].append(run)
        say(f"  {scenario}: {tool.label}: {done.wall:.3f} s, CPU {done.cpu:.2f} s")

    def rounds(self, keys):
        for turn in range(self.options.runs):
            for key in keys:
                if key != "tar czf" or turn < self.options.slow_runs:
                    yield turn, key

    def fresh(self, place, name, key):
        home = self.places[place] / f"store-{name}" / key.replace(" ", "-")
        if home.exists():
            shutil.rmtree(home)
        tool = self.tool(key, home)
        tool.prepare()
        return tool

    def base(self, place, name, key):
        """The store after the first backup; made now, untimed, where no scenario left one."""
        if (place, name, key) not in self.stores:
            tool = self.fresh(place, name, key)
            before = self.held(place, tool)
            self.timed(tool, tool.first(self.trees[name]))
            self.stores[place, name, key] = tool
            if name == "mixed":
                self.space[place, key] = [self.held(place, tool) - before]
        return self.stores[place, name, key]

    def held(self, place, tool):
        """Ours shares blocks on XFS, which only the file system's own count shows. The others do not."""
        if place == "xfs" and tool.key == "ours":
            return disks.used_bytes(self.places["xfs"])
        return disks.allocated(tool.store) if tool.store.is_dir() else 0

    # Scenarios

    def first(self, scenario, name, keys=FIRST):
        for _, key in self.rounds(keys):
            tool = self.fresh("ext4", name, key)
            done = self.timed(tool, tool.first(self.trees[name]), self.trees[name], synced=tool.home)
            self.record(scenario, tool, done, bytes=tool.stored())
            self.stores["ext4", name, key] = tool
            if name == "mixed":
                self.space["ext4", key] = [self.held("ext4", tool)]
        tool = self.stores["ext4", name, "ours"]
        subprocess.run([self.program, "verify", tool.archive("first")], check=True, stdout=subprocess.DEVNULL)

    def unchanged(self, scenario, name):
        for key in INCREMENTAL:
            self.base("ext4", name, key)
        for turn, key in self.rounds(INCREMENTAL):
            tool = self.base("ext4", name, key)
            self.again(scenario, "ext4", tool, name, f"unchanged{turn}")

    def again(self, scenario, place, tool, name, archive):
        """One timed next backup. Ours is always made from the first archive, and removed afterwards."""
        before = self.held(place, tool)
        done = self.timed(tool, tool.again(self.trees[name], archive), self.trees[name], tool.store, synced=tool.home)
        more = {"new": self.held(place, tool) - before, "bytes": tool.stored()}
        if tool.key == "ours":
            path = pathlib.Path(tool.archive(archive))
            more = more | {"bytes": path.stat().st_size, "report": tool.report(done.stdout)}
            path.unlink()
        self.record(scenario, tool, done, **more)

    def restore(self):
        tree = self.trees["mixed"]
        # Turn -1 is not recorded: the first restore after a pause is slow for whichever program it meets.
        for turn, key in [(-1, "tar"), *self.rounds(("tar", *INCREMENTAL))]:
            tool = self.base("ext4", "mixed", key)
            # Kept until the end, but not in memory. Deleting it makes the next restore slower (ext4 looks at every
            # inode just deleted before it gives one out again); so does leaving it in the page cache, for the next
            # restore then needs memory this machine has not used before. `tar xf` of 1.3 GiB: 1.5 s when neither
            # is so, up to 8 s else. Programs that write around the page cache would win by that alone.
            into = self.places["ext4"] / f"restored-{key}-{turn}".replace(" ", "-")
            into.mkdir()
            done = self.timed(tool, tool.restore(into), tool.store, synced=into)
            if turn == 0:
                subprocess.run(["diff", "-rq", "--no-dereference", tree, into / "artifacts"], check=True)
            disks.forget(into)
            if turn >= 0:
                self.record("restore", tool, done)
        for into in self.places["ext4"].glob("restored-*"):
            shutil.rmtree(into)
        shutil.rmtree(self.stores.pop(("ext4", "mixed", "tar")).home)

    def cat(self):
        tree = self.trees["mixed"]
        files = sorted(path for path in tree.rglob("*") if path.is_file())
        wanted = min(files, key=lambda path: abs(path.stat().st_size - 1_000_000))
        content, path = wanted.read_bytes(), str(wanted.relative_to(tree.parent))
        self.results["cat file"] = {"path": path, "bytes": len(content)}
        for _, key in self.rounds(("tar czf", *INCREMENTAL)):
            tool = self.base("ext4", "mixed", key)
            done = self.timed(tool, tool.one(path), tool.store)
            if done.stdout != content:
                raise measure.CommandFailed(f"{tool.label} gave other bytes for {path}")
            self.record("cat", tool, done)

    def grown(self, measured):
        """The second day. Restic's and borg's whole state is put back before every run."""
        saved = {}
        for place in self.places:
            for key in INCREMENTAL:
                tool = self.base(place, "mixed", key)
                if key != "ours":
                    saved[place, key] = tool.home.with_name(f"{key}.saved")
                    disks.replace(tool.home, saved[place, key])
        self.grow(2)
        if measured:
            for place in self.places:
                for turn, key in self.rounds(INCREMENTAL):
                    tool = self.base(place, "mixed", key)
                    if key != "ours":
                        disks.replace(saved[place, key], tool.home)
                    self.again(f"grown {place}", place, tool, "mixed", f"grown{turn}")
        for (place, key), copy in saved.items():
            disks.replace(copy, self.base(place, "mixed", key).home)
            shutil.rmtree(copy)

    def seven_days(self):
        for day in range(2, DAYS + 1):
            if day > 2:
                self.grow(day)
            for place in self.places:
                for key in INCREMENTAL:
                    tool = self.base(place, "mixed", key)
                    before = self.held(place, tool)
                    self.timed(tool, tool.again(self.trees["mixed"], f"day{day}"))
                    if key == "ours":
                        tool.newest = f"day{day}"
                    self.space[place, key].append(self.held(place, tool) - before)
        size = self.base("ext4", "mixed", "tar czf").stored()
        self.results["space"] = {
            "tree": self.tree_bytes,
            "tar czf": [size * day / self.tree_bytes[0] for day in self.tree_bytes],
            **{f"{key} {place}": self.space[place, key] for place in self.places for key in INCREMENTAL}}

    def run(self, only, finished):
        """`finished` is called after each scenario, so that a late failure does not lose the early figures."""
        options = self.options
        if set(only) - {"small"}:
            made = self.make_tree("mixed", "--size", options.size, "--files", options.files)
            self.results["mixed tree"] = made
            self.tree_bytes = [made["bytes"]]
        steps = {
            "first": lambda: self.first("first", "mixed"),
            "unchanged": lambda: self.unchanged("unchanged", "mixed"),
            "restore": self.restore,
            "cat": self.cat,
            "grown": lambda: self.grown(True),
            "space": self.seven_days,
            "small": self.small,
        }
        for name in NAMES:
            if name not in only:
                continue
            say(f"scenario {name}")
            if name == "space" and "grown" not in only:
                self.grown(False)
            steps[name]()
            finished()

    def small(self):
        self.results["small tree"] = self.make_tree("small", "--small", self.options.small)
        self.first("small first", "small")
        self.unchanged("small unchanged", "small")
