# SPDX-License-Identifier: Apache-2.0
"""Where the benchmark works: a folder that goes away at the end, and an XFS in a file."""
import contextlib
import os
import pathlib
import shutil
import stat
import subprocess
import tempfile
import time


@contextlib.contextmanager
def work_folder(below):
    """A new folder below `below`, so that nothing of the user's is in what gets removed."""
    if below:
        below.mkdir(parents=True, exist_ok=True)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="archive-benchmark-", dir=below))
    try:
        yield folder
    finally:
        if not_mounted(folder):  # never delete through a mount that would not go
            shutil.rmtree(folder, onerror=make_removable)


def not_mounted(folder):
    with open("/proc/self/mounts") as mounts:
        return not any(line.split()[1].startswith(f"{folder}/") for line in mounts)


def make_removable(remove, path, _error):
    os.chmod(os.path.dirname(path), stat.S_IRWXU)
    remove(path)


@contextlib.contextmanager
def xfs(folder, size):
    """A file system that can share blocks, in a sparse file below `folder`; the loop device goes with the mount."""
    image, place = folder / "xfs.img", folder / "xfs"
    place.mkdir()
    with open(image, "xb") as file:
        file.truncate(max(size, 1 << 30))
    subprocess.run(["mkfs.xfs", "-q", "-m", "reflink=1", image], check=True)
    subprocess.run(["mount", "-o", "loop", image, place], check=True)
    try:
        yield place
    finally:
        for options in ([], [], ["-l"]):  # an indexer or a dying child may hold it for a moment
            if subprocess.run(["umount", *options, place], check=False).returncode == 0:
                break
            time.sleep(1)
        image.unlink()


def file_system(place):
    return subprocess.run(["findmnt", "-no", "FSTYPE", "-T", place], check=True, capture_output=True,
                          text=True).stdout.strip()


def used_bytes(place):
    """What the whole file system at `place` holds, once the figure stands still: XFS frees in the background."""
    seen = None
    for _ in range(50):
        subprocess.run(["sync", "-f", place], check=True)
        now = os.statvfs(place)
        if seen == now.f_bfree:
            break
        seen = now.f_bfree
        time.sleep(0.3)
    return (now.f_blocks - now.f_bfree) * now.f_frsize


def allocated(place):
    """Allocated bytes of all files below `place`, a file with several names once."""
    blocks = {}
    for folder, _, names in os.walk(place):
        for name in names:
            status = os.lstat(os.path.join(folder, name))
            blocks[status.st_dev, status.st_ino] = status.st_blocks * 512
    return sum(blocks.values())


def forget(place):
    """Takes every file below `place` out of the page cache. They must have been flushed."""
    for folder, _, names in os.walk(place):
        for name in names:
            file = os.open(os.path.join(folder, name), os.O_RDONLY)
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(file)


def replace(source, target):
    """`target` becomes a copy of `source`, untimed."""
    if target.exists():
        shutil.rmtree(target)
    subprocess.run(["cp", "-a", source, target], check=True)
