#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The service's answers beside nginx's with the same bytes: wrk over loopback, in turns, medians."""
import argparse
import contextlib
import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import report
from stack import PACKAGES, Nginx, Stack

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))
from lib.packages import install_missing

PAGES = {"/health": "health", "/backups": "backups", "/tasks": "tasks"}
GIB = 2**30


def wrk(url, connections, seconds):
    threads = min(2, connections)
    text = subprocess.run(
        ["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", HERE / "wrk.lua", url],
        check=True, capture_output=True, text=True).stdout
    found = json.loads(re.search(r"^JSON (.*)$", text, re.M)[1])
    found["rate"] = found["requests"] / (found["duration"] / 1e6)
    return found


def curl(url, *arguments):
    """Seconds for the whole answer; infinitely many where there was none."""
    ended = subprocess.run(
        ["curl", "-s", "-m", "120", "-o", "/dev/null", "-w", "%{http_code} %{time_total}", *arguments, url],
        capture_output=True, text=True, check=False)
    status, seconds = ended.stdout.split()
    return float(seconds) if status.startswith("2") else float("inf")


@contextlib.contextmanager
def backups_all_the_while(stack):
    """One backup after another, as a person would ask for them."""
    ended = threading.Event()

    def work():
        while not ended.is_set():
            subprocess.run(["curl", "-s", "-m", "60", "-o", "/dev/null", "-X", "POST", f"{stack.url}/backups"],
                           check=False)
            ended.wait(1)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield
    finally:
        ended.set()
        worker.join()


def measure(stack, nginx, page, connections, seconds, rounds):
    ours, theirs, after = [], [], []
    stack.forget_peak()
    for _ in range(rounds):
        theirs.append(wrk(f"{nginx.url}/{PAGES[page]}", connections, seconds))
        ours.append(wrk(stack.url + page, connections, seconds))
        after.append(curl(f"{stack.url}/docs"))
        time.sleep(1)
    return {"page": page, "connections": connections, "ours": ours, "nginx": theirs, "docs": after,
            "memory": stack.memory()}


def download(stack, nginx, rounds):
    """A backup of two gigabytes: ours, and the same file by nginx. The page cache is warm for both."""
    name = max(path.name for path in (stack.data / "backups").glob("mlflow_backup_*.tar.gz"))
    nginx.link("archive", stack.data / "backups" / name)
    address = f"{stack.url}/backups/{name}/download"
    stack.forget_peak()
    pairs = [(curl(address), curl(f"{nginx.url}/archive")) for _ in range(rounds + 1)][1:]
    return {"bytes": os.stat(stack.data / "backups" / name).st_size, "ours": [a for a, _ in pairs],
            "nginx": [b for _, b in pairs], "memory": stack.memory()}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", default=HERE.parents[1] / ".build/release/mlflow-backup", type=pathlib.Path)
    parser.add_argument("--seconds", default=8, type=int)
    parser.add_argument("--rounds", default=5, type=int)
    parser.add_argument("--backups", default=500, type=int)
    parser.add_argument("--tasks", default=5000, type=int)
    parser.add_argument("--without-download", action="store_true")
    parser.add_argument("--output", type=pathlib.Path, help="folder of RESULTS.md and results.json")
    options = parser.parse_args()
    install_missing(PACKAGES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (8192, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    home = pathlib.Path(tempfile.mkdtemp(prefix="mlflow-backup-api-benchmark-"))
    home.chmod(0o755)
    stack, nginx = Stack(home, options.binary.resolve()), Nginx(home)
    try:
        stack.start()
        stack.fill(options.backups, options.tasks)
        if not options.without_download:
            write_noise(stack.data / "artifacts/0/large.bin", 2 * GIB)
            stack.command("backup", "--quiet")
        for page, name in PAGES.items():
            nginx.serve(name, stack.get(page))
        results = {"sizes": {page: len(stack.get(page)) for page in PAGES}, "memory at rest": stack.memory(),
                   "seconds": options.seconds, "rounds": options.rounds, "backups": options.backups,
                   "tasks": options.tasks}
        loads = (("/health", 64), ("/health", 1000), ("/backups", 64), ("/tasks", 64))
        results["loads"] = [measure(stack, nginx, page, connections, options.seconds, options.rounds)
                            for page, connections in loads]
        with backups_all_the_while(stack):
            results["loads"] += [
                measure(stack, nginx, "/health", connections, options.seconds, options.rounds) | {"beside": "backups"}
                for connections in (64, 1000)]
        if not options.without_download:
            results["download"] = download(stack, nginx, options.rounds)
        report.write(results, options.output)
    finally:
        nginx.stop()
        stack.stop()
        shutil.rmtree(home)


def write_noise(path, size):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as out:
        for _ in range(size >> 20):
            out.write(os.urandom(1 << 20))


if __name__ == "__main__":
    sys.exit(main())
