# SPDX-License-Identifier: Apache-2.0
"""RESULTS.md and the table of targets, from the figures of one run."""
MIB, GIB = 2**20, 2**30
SCENARIOS = {
    "first": "First backup, mixed artifacts",
    "unchanged": "Next backup, nothing changed",
    "grown ext4": "Next backup, {percent} % new, archives on ext4",
    "grown xfs": "Next backup, {percent} % new, archives on XFS",
    "small first": "First backup, {small} small files",
    "small unchanged": "Next backup, {small} small files, nothing changed",
    "restore": "Restore of everything",
    "cat": "One file out of the backup",
}
NOTES = {
    "first": "`tar czf` ran {slow_runs} times, all others {runs} times.",
    "unchanged": "*New on disk* is what the run added to the repository's allocated blocks.",
    "grown ext4": "*Share* is new blocks against the size of the whole backup (ours: the new archive; others: the "
                  "repository).",
    "grown xfs": "The source tree is on ext4, only the archives and repositories are on the loop-mounted XFS. New "
                 "blocks of ours come from the file system's own count of free blocks before and after, since "
                 "archives share blocks there.",
    "restore": "Into a new folder on ext4; what was restored before is kept but taken out of the page cache, and "
               "one restore before the first round is not counted. Round 1 of every program was compared with the "
               "source by `diff -r`.",
    "cat": "`{path}`, {bytes:,} bytes; every run's output was compared with the source. `tar -xzf ARCHIVE PATH -O` "
           "reads to the end of the archive.",
}


def seconds(value):
    return f"{value * 1000:.0f} ms" if value < 0.1 else f"{value:.2f} s"


def amount(value):
    for unit, size in (("GiB", GIB), ("MiB", MIB), ("KiB", 1024)):
        if abs(value) >= size:
            return f"{value / size:.{1 if unit == 'KiB' else 2}f} {unit}"
    return f"{value:.0f} B"


def title(name, options):
    return SCENARIOS[name].format(percent=f"{options['percent']:g}", small=f"{options['small']:,}")


def table(head, rows):
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in lines)


# Targets: issue 5's table. Each gives the measured figure and the bound it must not exceed.

def targets(results):
    def value(scenario, tool, name="wall"):
        return results[scenario][tool][name]

    def ratio(scenario, peer, name="wall"):
        return value(scenario, "ours", name) / value(scenario, peer, name)

    def flushed(scenario, tool):
        return value(scenario, tool) + value(scenario, tool, "flush")

    def share(scenario):
        return value(scenario, "ours", "new") / value(scenario, "ours", "bytes")

    def number(found):
        return f"{found:.3f}"

    def percent(found):
        return f"{found:.1%}"

    first = "First full, mixed"
    small = "Unchanged, small files"
    wanted = [
        (first, "wall / `tar czf`", 1 / 12, number, lambda: ratio("first", "tar czf")),
        (first, "wall / restic", 0.6, number, lambda: ratio("first", "restic")),
        (first, "wall / borg", 0.9, number, lambda: ratio("first", "borg")),
        (first, "wall / `tar | zstd -1`", 1.0, number, lambda: ratio("first", "zstd")),
        (first, "size / `tar czf`", 1.06, number, lambda: ratio("first", "tar czf", "bytes")),
        ("Unchanged, mixed", "wall / restic", 0.35, number, lambda: ratio("unchanged", "restic")),
        (small, "wall / restic", 0.35, number, lambda: ratio("small unchanged", "restic")),
        (small, "wall / borg", 0.35, number, lambda: ratio("small unchanged", "borg")),
        (small, "wall", 2.0, seconds, lambda: value("small unchanged", "ours")),
        ("New runs, XFS", "wall / restic", 0.5, number, lambda: ratio("grown xfs", "restic")),
        ("New runs, XFS", "new blocks / archive", 0.05, percent, lambda: share("grown xfs")),
        ("New runs, ext4", "wall / `tar czf` of the first day", 1 / 20, number,
         lambda: value("grown ext4", "ours") / value("first", "tar czf")),
        ("New runs, ext4", "CPU / CPU of our first full", 0.10, percent,
         lambda: value("grown ext4", "ours", "cpu") / value("first", "ours", "cpu")),
        ("Restore, full", "wall / `tar xf`", 1.10, number, lambda: ratio("restore", "tar")),
        ("Restore, full", "the same until the data is on the disk", 1.10, number,
         lambda: flushed("restore", "ours") / flushed("restore", "tar")),
        ("Restore, full", "wall / restic", 0.6, number, lambda: ratio("restore", "restic")),
        ("One 1 MB file out", "wall", 0.030, seconds, lambda: value("cat", "ours")),
    ]
    rows = []
    for work, what, bound, form, measured in wanted:
        try:
            found = measured()
            rows.append({"work": work, "what": what, "bound": bound, "measured": found, "met": found <= bound,
                         "shown": (form(bound), form(found))})
        except KeyError:  # that scenario was not part of this run
            rows.append({"work": work, "what": what, "bound": bound, "measured": None, "met": None,
                         "shown": (form(bound), "not measured")})
    return rows


def target_section(results):
    verdict = {True: "pass", False: "**FAIL**", None: "-"}
    return "## Targets\n\nWhy some are missed, and how far the limit is: [PROFILE.md](PROFILE.md).\n\n" + table(
        ["work", "what", "at most", "measured", "verdict"],
        [[row["work"], row["what"], *row["shown"], verdict[row["met"]]] for row in targets(results)])


def scenario_section(name, result, document):
    options, first = document["options"], next(iter(result.values()))
    ours = result.get("ours", first)["wall"]
    head = ["program", "wall (min to max)", "with flush", "CPU", "peak memory", "times ours"]
    growing, sized = "new" in first, "bytes" in first
    if growing:
        head += ["new on disk", "share"]
    elif sized:
        head += ["size"]
    rows = []
    for tool in sorted(result.values(), key=lambda tool: tool["wall"]):
        walls = [run["wall"] for run in tool["runs"]]
        row = [tool["label"], f"{seconds(tool['wall'])} ({seconds(min(walls))} to {seconds(max(walls))})",
               seconds(tool["wall"] + tool["flush"]), f"{tool['cpu']:.2f} s", amount(tool["rss"]),
               f"{tool['wall'] / ours:.2f}"]
        if growing:
            row += [amount(tool["new"]), f"{tool['new'] / tool['bytes']:.1%}" if tool["bytes"] else "-"]
        elif sized:
            row += [amount(tool["bytes"])]
        rows.append(row)
    note = NOTES.get(name, "").format(**options, **document["results"].get("cat file", {"path": "", "bytes": 0}))
    if report := result.get("ours", {"runs": [{}]})["runs"][-1].get("report"):
        facts = (f"{key} {value:,}" if type(value) is int else f"{key} {value}" for key, value in report.items())
        note += "\n\n" * bool(note) + f"Ours, last run: {', '.join(facts)}."
    return f"## {title(name, options)}\n\n{table(head, rows)}\n\n{note}".rstrip()


def space_section(space, options):
    days = len(space["tree"])
    labels = {"tar czf": "`tar czf`, a file a day (estimate: day 1 times the tree's growth)"}
    rows = []
    for name, held in space.items():
        if name == "tree":
            continue
        label = labels.get(name) or " on ".join(name.split()).replace("xfs", "XFS")
        rows.append([label, amount(held[0]), amount(sum(held[1:]) / (days - 1)), amount(sum(held)),
                     f"{sum(held) / space['tree'][-1]:.2f}"])
    return (f"## Space after {days} daily backups, {options['percent']:g} % new each day\n\n"
            + table(["program", "day 1", "mean of later days", f"all {days}", "times the tree"], rows)
            + f"\n\nThe tree grew from {amount(space['tree'][0])} to {amount(space['tree'][-1])}. Allocated blocks, "
              "without the programs' caches; ours on XFS by the file system's own count of free blocks. Ours is made "
              "of whole archives each day, without the independent full that the service forces (`BACKUP_FULL_EVERY`).")


def machine_section(machine, options):
    lines = [f"- {machine['date']}, revision `{machine['revision']}`",
             f"- {machine['cpu']}, {machine['cores']} cores, {amount(machine['memory'])} memory; load average at the "
             f"start {machine['load'][0]:.2f}",
             f"- Linux {machine['kernel']}; work folder on {machine['file_system']}"
             + ("" if machine["file_system"] == "ext4" else " (**read this wherever a table says ext4**)"),
             "- " + "; ".join(f"{name}: {version}" for name, version in machine["versions"].items())]
    if options["ours_options"]:
        lines.append(f"- ours with `{' '.join(options['ours_options'])}`")
    return "\n".join(lines)


def markdown(document):
    options, results = document["options"], document["results"]
    parts = ["# Benchmark results", "Written by `benchmarks/run.py`; what is compared and why: [README.md](README.md)."]
    if options["quick"]:
        parts.append("**A trial with `--quick`: little data, two runs. These figures say nothing about speed.**")
    elif not document["complete"]:
        parts.append("**Not all scenarios were run.**")
    parts.append(machine_section(document["machine"], options))
    data = [f"{kind}: {made['files']:,} files, {amount(made['bytes'])}" for kind in ("mixed", "small")
            if (made := results.get(f"{kind} tree"))]
    parts.append(f"Data: {'; '.join(data)}; seed {options['seed']}. Medians of {options['runs']} runs "
                 f"({options['slow_runs']} for `tar czf`). Page cache warm for all: before every run the source, and "
                 "the archive or repository that is read, were read once, then `sync`. *With flush* adds the time "
                 "`sync -f` took after the program's end, for programs that leave writing to the kernel. CPU is "
                 "user and system time of all processes; memory is the peak of the largest process.")
    parts += [target_section(results), "![wall times and space](results.svg)"]
    parts += [scenario_section(name, results[name], document) for name in SCENARIOS if name in results]
    if "space" in results:
        parts.append(space_section(results["space"], options))
    return "\n\n".join(parts) + "\n"
