# SPDX-License-Identifier: Apache-2.0
"""Runs one pipeline without a shell and measures it."""
import contextlib
import dataclasses
import os
import pathlib
import statistics
import subprocess
import tempfile
import time


class CommandFailed(Exception):
    pass


@dataclasses.dataclass
class Measured:
    wall: float
    cpu: float
    rss: int
    flush: float = 0.0
    stdout: bytes = b""


def run(commands, *, output=None, cwd=None, env=None, synced=None):
    """Pipes `commands` into one another. Wall from the first start to the last end, CPU of all processes and
    their children, the largest of their peak memories. `synced` is a folder whose file system is flushed
    afterwards; that time is kept apart, because tar never waits for the disk and others do.

    Each command runs under GNU time, about 1 ms: Linux lets a new process inherit the peak memory of the one
    that started it, so without it everything smaller than this Python would be reported as this Python's size.
    """
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="measure-")))
        errors = stack.enter_context(open(folder / "stderr", "w+b"))
        target = stack.enter_context(open(output or folder / "stdout", "w+b"))
        processes, source = [], subprocess.DEVNULL
        start = time.monotonic()
        try:
            for at, command in enumerate(commands):
                last = at == len(commands) - 1
                process = subprocess.Popen(
                    ["/usr/bin/time", "-q", "-f", "%M", "-o", folder / f"rss{at}", *command],
                    stdin=source, stdout=target if last else subprocess.PIPE, stderr=errors, cwd=cwd, env=env)
                if at:
                    source.close()  # else the left side never learns that the right side has ended
                source = process.stdout
                processes.append(process)
            cpu = 0.0
            for process in processes:
                _, status, usage = os.wait4(process.pid, 0)
                process.returncode = os.waitstatus_to_exitcode(status)
                cpu += usage.ru_utime + usage.ru_stime
            wall = time.monotonic() - start
        finally:
            for process in processes:
                if process.returncode is None:
                    process.kill()
                    process.wait()
        if any(process.returncode for process in processes):
            errors.seek(0)
            raise CommandFailed(f"{[p.returncode for p in processes]} from {commands}:\n"
                                + errors.read().decode(errors="replace")[-2000:])
        rss = max(int((folder / f"rss{at}").read_text().split()[-1]) * 1024 for at in range(len(commands)))
        flush = 0.0
        if synced:
            start = time.monotonic()
            subprocess.run(["sync", "-f", synced], check=True)
            flush = time.monotonic() - start
        text = b"" if output else (folder / "stdout").read_bytes()
        return Measured(wall, cpu, rss, flush, text)


def warm(*places):
    """Reads every file below `places` once, so that each tool finds the same page cache: some tools
    (ours among them) drop what they have read."""
    for place in places:
        found = [(str(place.parent), [], [place.name])] if place.is_file() else os.walk(place)
        for folder, _, names in found:
            for name in names:
                path = os.path.join(folder, name)
                if os.path.islink(path):
                    continue
                with open(path, "rb", buffering=0) as file:
                    while file.read(1 << 20):
                        pass


def summary(runs):
    """The medians of several runs, with the runs themselves. `bytes` and the like are carried along."""
    result = {name: statistics.median(run[name] for run in runs)
              for name in runs[0] if isinstance(runs[0][name], (int, float)) and not isinstance(runs[0][name], bool)}
    return result | {"count": len(runs), "runs": runs}
