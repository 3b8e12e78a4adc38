#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes a tree of files like MLflow's artifact store, the same bytes for the same arguments.

usage: generate.py TREE [--size 1.3G] [--files 4500] [--seed 1]    mixed artifacts
       generate.py TREE --small 100000 [--seed 1]                  small files of 200 to 4000 bytes
       generate.py --grow TREE [--percent 2] [--seed 2]            new runs beside the present ones

Layout: EXPERIMENT_ID/RUN_ID/artifacts/... ; prints one JSON line with the number of files and bytes written.
Every file's content comes from a generator seeded with the seed and the file's path, so no two files are
equal, no long stretch repeats, and the number of worker processes does not matter.
"""
import argparse
import array
import functools
import json
import math
import multiprocessing
import os
import pathlib
import pickle
import random
import struct
import sys
import time
import zlib

KIB, MIB = 1 << 10, 1 << 20
EXPERIMENTS = 6
# What one run holds: kind and path. The last slot is a weight file in every third run, else one more forest.
RUN_SLOTS = [
    ("text", "model/MLmodel"), ("forest", "model/model.pkl"), ("forest", "model/calibrator.pkl"),
    ("json", "reports/params.json"), ("json", "reports/classification.json"), ("json", "reports/input_example.json"),
    ("csv", "metrics/train.csv"), ("csv", "metrics/validation.csv"), ("csv", "metrics/test.csv"),
    ("csv", "metrics/system.csv"), ("png", "plots/confusion.png"), ("png", "plots/roc.png"),
    ("png", "plots/importance.png"), ("png", "plots/residuals.png"), ("weights", "model/data/weights.npy"),
]
# Share of all bytes, and how far the sizes of one kind spread (sigma of a log-normal distribution).
KINDS = {"forest": (0.36, 0.9), "json": (0.05, 0.8), "csv": (0.08, 0.8), "png": (0.11, 0.6), "weights": (0.40, 1.0)}


def size_of(text):
    units = {"K": KIB, "M": MIB, "G": MIB * KIB}
    unit = units.get(text[-1:].upper(), 1)
    return int(float(text[:-1] if unit > 1 else text) * unit)


def masked(data, mask, pattern=0):
    """Every 8-byte word of `data`: word & mask | pattern. Whole-number arithmetic on all of it at once is fast."""
    words = len(data) // 8
    value = int.from_bytes(data[:8 * words], "little")
    value &= int.from_bytes(mask.to_bytes(8, "little") * words, "little")
    value |= int.from_bytes(pattern.to_bytes(8, "little") * words, "little")
    return value.to_bytes(8 * words, "little")


# Contents. Each takes the file's own random generator, the wanted size and the file's path.

def text_file(rng, _size, path):
    return (f"artifact_path: model\nflavors:\n  python_function:\n    loader_module: mlflow.sklearn\n"
            f"    model_path: model.pkl\n    python_version: 3.11.7\nmlflow_version: 3.17.2\n"
            f"model_uuid: {rng.randbytes(16).hex()}\nrun_id: {path.split('/')[1]}\n"
            f"utc_time_created: '2026-0{rng.randint(1, 9)}-{rng.randint(10, 28)} 02:00:00.{rng.randrange(10**6):06}'\n"
            ).encode()


def decision_tree(rng, nodes):
    """The columns scikit-learn keeps for each node, 56 bytes a row, and two class weights a node."""
    shape, spans = rng.randbytes(nodes), rng.randbytes(nodes)
    splits = [byte & 1 for byte in shape]
    leaf_threshold, = struct.unpack("<q", struct.pack("<d", -2.0))
    # Thresholds lie between two float32 values, so the low bits of the double are zero.
    thresholds = array.array("q", masked(rng.randbytes(8 * nodes), 0x001FFFFFE0000000, 0x3FE0000000000000))
    impurities = array.array("q", masked(rng.randbytes(8 * nodes), 0x001FFFFFFFFFFFFF, 0x3FC0000000000000))
    samples = [(span * span >> 6) + 1 for span in spans]
    rows = array.array("q", bytes(56 * nodes))
    rows[0::7] = array.array("q", [at if split else -1 for at, split in enumerate(splits, 1)])
    rows[1::7] = array.array("q", [at + span if split else -1
                                   for at, (split, span) in enumerate(zip(splits, spans, strict=True), 2)])
    rows[2::7] = array.array("q", [byte >> 3 if byte & 1 else -2 for byte in shape])
    rows[3::7] = array.array("q", [value if split else leaf_threshold
                                   for value, split in zip(thresholds, splits, strict=True)])
    rows[4::7] = array.array("q", [value if split else 0 for value, split in zip(impurities, splits, strict=True)])
    rows[5::7] = array.array("q", samples)
    rows[6::7] = array.array("q", array.array("d", samples).tobytes())
    values = array.array("d", bytes(16 * nodes))
    left = [count * byte >> 8 for count, byte in zip(samples, shape, strict=True)]
    values[0::2] = array.array("d", [float(count) for count in left])
    values[1::2] = array.array("d", [float(count - part) for count, part in zip(samples, left, strict=True)])
    return {"nodes": rows.tobytes(), "values": values, "node_count": nodes, "max_depth": rng.randint(8, 30)}


def forest(rng, size, path):
    trees = max(1, min(100, size // 60_000))
    nodes = max(1, size // trees // 72)
    model = {"class": "RandomForestClassifier", "n_estimators": trees, "random_state": rng.getrandbits(32),
             "source": path, "oob_score": rng.random(),
             "estimators": [decision_tree(rng, nodes) for _ in range(trees)]}
    return pickle.dumps(model, protocol=4)


def json_file(rng, size, path):
    rows = max(1, size // 118)
    return json.dumps({"source": path, "rows": [
        {"id": rng.getrandbits(40), "feature": f"column_{rng.randrange(64)}", "value": round(rng.gauss(0, 10), 9),
         "score": rng.random(), "label": rng.choice(("setosa", "versicolor", "virginica"))} for _ in range(rows)
    ]}).encode()


def csv_file(rng, size, _path):
    lines, clock, loss = ["step,timestamp,loss,accuracy,learning_rate"], 1_790_000_000_000 + rng.getrandbits(34), 2.5
    for step in range(size // 52):
        clock += rng.randrange(900, 1_100)
        loss = loss * 0.9999 + rng.random() * 1e-4
        rate = 1e-3 * 0.999 ** (step % 5000)
        lines.append(f"{step},{clock},{loss + rng.random() * 0.05:.8f},{rng.random():.6f},{rate:.8f}")
    return ("\n".join(lines) + "\n").encode()


def near_normal(share):
    """About the normal distribution's quantile, which is all the noise in a picture needs."""
    return -math.log(1 / share - 1) * 0.6


@functools.cache
def residuals(slope):
    """256 equally likely bytes turned into small differences between neighbours: a gradient with noise on it."""
    return bytes(round(near_normal((byte + 0.5) / 256) * 2.2 + slope) & 255 for byte in range(256))


def png_file(rng, size, _path):
    width = 3 * max(16, int(math.sqrt(size * 2.0 / 3)))
    height = max(1, int(size * 2.0) // width)
    noise = rng.randbytes(width * height).translate(residuals(rng.randrange(-1, 2)))
    # Filter 1 of the PNG standard: each byte is the difference to the pixel on its left.
    rows = b"".join(b"\x01" + noise[at:at + width] for at in range(0, len(noise), width))
    packer = zlib.compressobj(3, zlib.DEFLATED, 15, 8, zlib.Z_FILTERED)

    def part(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    return (b"\x89PNG\r\n\x1a\n" + part(b"IHDR", struct.pack(">IIBBBBB", width // 3, height, 8, 2, 0, 0, 0))
            + part(b"IDAT", packer.compress(rows) + packer.flush()) + part(b"IEND", b""))


@functools.cache
def normal_floats():
    rng = random.Random("float32 weights")
    return array.array("f", [rng.gauss(0.0, 0.05) for _ in range(MIB // 4)]).tobytes()


def weights_file(rng, size, _path):
    """NumPy's format. The exponents come from real normal values, turned by a random distance for each MiB;
    sign and mantissa are new for every value, so nothing repeats, at a hundredth of the price of gauss()."""
    count = max(1, size // 4)
    head = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({count},), }}"
    yield b"\x93NUMPY\x01\x00" + struct.pack("<H", 118) + head.ljust(117).encode() + b"\n"
    base = normal_floats()
    for start in range(0, 4 * count, MIB):
        turn = 4 * rng.randrange(MIB // 4)
        exponents = int.from_bytes(base[turn:] + base[:turn], "little")
        rest = int.from_bytes(masked(rng.randbytes(MIB), 0x807FFFFF807FFFFF), "little")
        yield (exponents ^ rest).to_bytes(MIB, "little")[:4 * count - start]


def small_file(rng, size, path):
    head = f"# {path}\nkey,step,value\n"
    lines = [f"{rng.choice('abcdefgh')}{rng.getrandbits(20)},{step},{rng.random():.9f}" for step in range(size // 16)]
    return (head + "\n".join(lines)).encode()[:size - 1] + b"\n"


MAKERS = {"text": text_file, "forest": forest, "json": json_file, "csv": csv_file, "png": png_file,
          "weights": weights_file, "small": small_file}


# The plan: which files, of what size.

def run_folder(rng):
    return f"{rng.randint(1, EXPERIMENTS)}/{rng.randbytes(16).hex()}/artifacts/"


def mixed_plan(size, files, seed):
    rng = random.Random(f"plan {seed}")
    plan = []
    for run in range(math.ceil(files / len(RUN_SLOTS))):
        folder = run_folder(rng)
        for slot in RUN_SLOTS:
            kind, path = ("forest", "model/explainer.pkl") if slot[0] == "weights" and run % 3 else slot
            plan.append((kind, folder + path))
    plan = plan[:files]
    draws = [rng.lognormvariate(0, KINDS[kind][1]) if kind in KINDS else 0 for kind, _ in plan]
    sums = {name: sum(draw for draw, (kind, _) in zip(draws, plan, strict=True) if kind == name) for name in KINDS}
    # A tiny tree may lack a kind; its share goes to the others.
    present = sum(KINDS[name][0] for name in KINDS if sums[name])
    return [(kind, path, int(size * KINDS[kind][0] / present * draw / sums[kind]) if kind in KINDS else 0)
            for draw, (kind, path) in zip(draws, plan, strict=True)]


def small_plan(files, seed):
    rng = random.Random(f"small plan {seed}")
    plan = []
    while len(plan) < files:
        folder = run_folder(rng)
        plan += [("small", f"{folder}steps/step_{step:04}.csv", rng.randint(200, 4000))
                 for step in range(min(50, files - len(plan)))]
    return plan


def write_one(job):
    tree, seed, (kind, path, size) = job
    target = pathlib.Path(tree, path)
    target.parent.mkdir(parents=True, exist_ok=True)
    content = MAKERS[kind](random.Random(f"{seed}/{path}"), size, path)
    # "x": a file that is there already is never touched.
    with open(target, "xb") as file:
        return sum(map(file.write, [content] if isinstance(content, bytes) else content))


def write_all(tree, plan, seed):
    jobs = [(str(tree), seed, entry) for entry in plan]
    with multiprocessing.Pool(os.cpu_count()) as pool:
        return {"files": len(jobs), "bytes": sum(pool.imap_unordered(write_one, jobs, chunksize=8))}


def present_size(tree):
    sizes = [os.lstat(os.path.join(folder, name)).st_size for folder, _, names in os.walk(tree) for name in names]
    return sum(sizes), len(sizes)


def grow(tree, percent, seed):
    size, files = present_size(tree)
    plan = mixed_plan(int(size * percent / 100), max(len(RUN_SLOTS), round(files * percent / 100)), f"grow {seed}")
    return write_all(tree, plan, f"grow {seed}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree", type=pathlib.Path)
    parser.add_argument("--size", type=size_of, default="1.3G")
    parser.add_argument("--files", type=int, default=4500)
    parser.add_argument("--small", type=int, metavar="N")
    parser.add_argument("--grow", action="store_true")
    parser.add_argument("--percent", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    start = time.monotonic()
    if given.grow:
        if not given.tree.is_dir():
            parser.error(f"{given.tree} is not a folder")
        done = grow(given.tree, given.percent, given.seed)
    else:
        if given.tree.exists() and any(given.tree.iterdir()):
            parser.error(f"{given.tree} is not empty; to add runs use --grow")
        plan = small_plan(given.small, given.seed) if given.small else mixed_plan(given.size, given.files, given.seed)
        done = write_all(given.tree, plan, given.seed)
    print(json.dumps(done | {"seconds": round(time.monotonic() - start, 1)}))


if __name__ == "__main__":
    sys.exit(main())
