#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares our archives with tar, restic and borg on the same data in one run.

usage: run.py [--ours .build/release/archive-bench] [--quick] [--only first,unchanged,...]

Writes results.json, RESULTS.md and results.svg; see README.md beside this file. Needs root, for the
loop-mounted XFS and for installing missing Debian packages.
"""
import argparse
import datetime
import json
import os
import pathlib
import platform
import shutil
import signal
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # no __pycache__ folders in the source tree

import generate
from lib import disks, measure, packages, report, scenarios, tools

HERE = pathlib.Path(__file__).resolve().parent


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", type=pathlib.Path, default=HERE.parent / ".build/release/archive-bench")
    parser.add_argument("--ours-options", default="", help="more options for `create`, such as '--level 3'")
    parser.add_argument("--work", type=pathlib.Path, help="on ext4; a new folder is made in it (default: in /tmp)")
    parser.add_argument("--out", type=pathlib.Path, help="where the results go")
    parser.add_argument("--only", default=",".join(scenarios.NAMES), help=f"of {','.join(scenarios.NAMES)}")
    parser.add_argument("--runs", type=int)
    parser.add_argument("--slow-runs", type=int, help="runs of `tar czf` (default 3)")
    parser.add_argument("--size")
    parser.add_argument("--files", type=int)
    parser.add_argument("--small", type=int)
    parser.add_argument("--percent", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="little data, 2 runs: does this script work?")
    given = parser.parse_args()
    usual = {"runs": 2, "slow_runs": 2, "size": "48M", "files": 300, "small": 1500} if given.quick else \
            {"runs": 5, "slow_runs": 3, "size": "1.3G", "files": 4500, "small": 100_000}
    for name, value in usual.items():
        if getattr(given, name) is None:
            setattr(given, name, value)
    given.ours_options = given.ours_options.split()
    given.only = given.only.split(",")
    if unknown := set(given.only) - set(scenarios.NAMES):
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}")
    if not os.access(given.ours, os.X_OK):
        parser.error(f"{given.ours} is missing: swift build -c release --product archive-bench")
    if os.geteuid():
        parser.error("needs root, for the loop-mounted XFS")
    if not given.out:
        # A partial or tiny run never takes the place of the published figures by accident.
        whole = not given.quick and set(given.only) == set(scenarios.NAMES)
        given.out = HERE if whole else pathlib.Path(tempfile.gettempdir(), "archive-benchmark-trial")
    return given


def machine(program, work):
    cpus = [line.split(":", 1)[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")]
    memory = int(pathlib.Path("/proc/meminfo").read_text().split()[1]) * 1024
    revision = subprocess.run(["git", "-C", HERE, "describe", "--always", "--dirty", "--abbrev=10"], check=False,
                              capture_output=True, text=True).stdout.strip()
    return {"date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
            "cpu": cpus[0] if cpus else platform.machine(), "cores": os.cpu_count(), "memory": memory,
            "kernel": platform.release(), "file_system": disks.file_system(work), "load": os.getloadavg(),
            "revision": revision or "unknown", "versions": tools.versions(program)}


def write(out, document):
    out.mkdir(parents=True, exist_ok=True)
    for name, text in (("results.json", json.dumps(document, indent=1) + "\n"),
                       ("RESULTS.md", report.markdown(document))):
        (out / f".{name}.new").write_text(text)
        (out / f".{name}.new").replace(out / name)
    # Debian's Python has Debian's matplotlib, whichever Python runs this.
    subprocess.run(["/usr/bin/python3", "-B", HERE / "lib/chart.py", out / "results.json", out / "results.svg"],
                   check=True)


def summarised(results):
    return {name: {key: tool | measure.summary(tool["runs"]) for key, tool in result.items()}
            if name in report.SCENARIOS else result for name, result in results.items()}


def main():
    given = arguments()
    packages.install_missing(tools.PACKAGES)
    # A stopped run must still unmount and clean up.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit("stopped"))
    with disks.work_folder(given.work) as work:
        tempfile.tempdir = str(work)
        # A build during the run must not change what is measured.
        program = shutil.copy2(given.ours, work / "archive-bench")
        tree_size = 40 * generate.size_of(given.size)
        document = {"machine": machine(program, work), "complete": False,
                    "options": {name: getattr(given, name) for name in
                                ("runs", "slow_runs", "size", "files", "small", "percent", "seed", "quick", "only",
                                 "ours_options")}}
        places = {"ext4": work / "ext4"}
        places["ext4"].mkdir()
        with disks.xfs(work, tree_size) as xfs:
            bench = scenarios.Bench(given, program, places | {"xfs": xfs})

            def finished():
                write(given.out, document | {"results": summarised(bench.results)})
            bench.run(given.only, finished)
            document["complete"] = set(given.only) == set(scenarios.NAMES)
            finished()
    scenarios.say(f"results: {given.out}")


if __name__ == "__main__":
    main()
