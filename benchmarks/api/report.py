# SPDX-License-Identifier: Apache-2.0
"""RESULTS.md: medians of a run beside nginx's, and whether the targets are met."""
import json
import statistics
import sys

TARGETS = {"/health": 0.3, "/backups": 0.2, "/tasks": 0.2}
MIB, GIB = 2**20, 2**30


def median(rounds, key):
    return statistics.median(one[key] for one in rounds)


def row(load):
    ours, nginx = load["ours"], load["nginx"]
    share = median(ours, "rate") / median(nginx, "rate")
    failed = sum(one[key] for one in ours for key in ("connect", "read", "write", "status", "timeout"))
    p99 = median(ours, "p99") / 1000
    good = share >= TARGETS[load["page"]] and failed == 0 and (load["connections"] > 64 or p99 < 50)
    peak = load["memory"]["peak"] / MIB
    good = good and peak < 100
    docs = f"{max(load['docs']) * 1000:.0f} ms"
    beside = f", {load['beside']} beside it" if "beside" in load else ""
    return (f"| {load['page']}, {load['connections']} connections{beside} | {median(ours, 'rate'):,.0f} | "
            f"{median(nginx, 'rate'):,.0f} | {share:.2f} | {TARGETS[load['page']]} | "
            f"{median(ours, 'p50') / 1000:.1f} ms | {p99:.1f} ms | {failed} | {docs} | "
            f"{peak:.0f} MiB | {'yes' if good else '**no**'} |")


def highest(results):
    """Resident bytes at their highest in any load, the download among them."""
    return max(load["memory"]["peak"] for load in [*results["loads"], *filter(None, [results.get("download")])])


def text(results):
    lines = [
        "# The service's answers beside nginx's", "",
        f"wrk on two cores over loopback, nginx serving the same bytes from files, {results['rounds']} rounds in "
        f"turns of {results['seconds']} s, medians; {results['backups']} backups, {results['tasks']} tasks. "
        "The answers are "
        + ", ".join(f"{page} {size:,} bytes" for page, size in results["sizes"].items()) + ".", "",
        "| load | answers/s | nginx | share | target | p50 | p99 | errors | `/docs` after it, worst | memory, peak "
        "| met |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
    lines += [row(load) for load in results["loads"]]
    if "download" in results:
        found = results["download"]
        ours, nginx = statistics.median(found["ours"]), statistics.median(found["nginx"])
        lines += ["", f"Download of {found['bytes'] / GIB:.2f} GiB: {found['bytes'] / ours / GIB:.2f} GiB/s, nginx "
                  f"{found['bytes'] / nginx / GIB:.2f} GiB/s, share {nginx / ours:.2f} (target 0.9)."]
    lines += ["", f"Memory: {results['memory at rest']['now'] / MIB:.0f} MiB before, at most "
              f"{highest(results) / MIB:.0f} MiB (target 100 MB)."]
    return "\n".join(lines) + "\n"


def write(results, folder):
    sys.stdout.write(text(results))
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "RESULTS.md").write_text(text(results))
        (folder / "results.json").write_text(json.dumps(results, indent=1) + "\n")
