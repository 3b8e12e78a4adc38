# SPDX-License-Identifier: Apache-2.0
"""results.svg: wall times on a logarithmic axis, and below them space after seven days."""
import math
from xml.sax.saxutils import escape

from . import report

WIDTH, LEFT, RIGHT, BAR = 960, 260, 100, 18
OURS, PEER, INK, GRID = "#d1495b", "#8fa8bf", "#22303c", "#dde3e8"


def text(x, y, words, size=12, anchor="start", weight="normal", more=""):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" font-weight="{weight}" '
            f'fill="{INK}"{more}>{escape(words)}</text>')


def line(x1, y1, x2, y2, colour=GRID, width=1):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width}"/>'


def panel(top, groups, place, ticks, show, label):
    """`groups`: title to rows of (label, value, least, most, is ours). `place` gives a value's x."""
    bars, y = [], top
    for title, rows in groups.items():
        y += 26
        bars.append(text(16, y - 6, title, 13, weight="bold"))
        for name, value, least, most, ours in rows:
            middle = y + BAR / 2
            bars.append(text(LEFT - 8, middle + 4, name, anchor="end", weight="bold" if ours else "normal"))
            bars.append(f'<rect x="{LEFT}" y="{y + 2}" width="{max(1, place(value) - LEFT):.1f}" height="{BAR - 4}" '
                        f'fill="{OURS if ours else PEER}"/>')
            if most > least:
                bars.append(line(place(least), middle, place(most), middle, INK, 1.5))
            bars.append(text(max(place(value), place(most)) + 6, middle + 4, show(value)))
            y += BAR
    grid = []
    for value, words in ticks:
        grid += [line(place(value), top + 8, place(value), y + 4), text(place(value), y + 20, words, 11, "middle")]
    grid += [line(LEFT, top + 8, LEFT, y + 4, INK), line(LEFT, y + 4, WIDTH - RIGHT, y + 4, INK)]
    middle = (LEFT + WIDTH - RIGHT) / 2
    grid.append(text(middle, y + 40, label, 12, "middle"))
    turned = f' transform="rotate(-90 10 {(top + y) / 2:.1f})"'
    grid.append(text(10, (top + y) / 2, "scenario and program", 11, "middle", more=turned))
    return grid + bars, y + 40


def wall_panel(top, results, options):
    groups = {}
    for name in report.SCENARIOS:
        if name in results:
            groups[report.title(name, options)] = [
                (tool["label"], tool["wall"], min(run["wall"] for run in tool["runs"]),
                 max(run["wall"] for run in tool["runs"]), key == "ours")
                for key, tool in sorted(results[name].items(), key=lambda item: item[1]["wall"])]
    values = [row[at] for rows in groups.values() for row in rows for at in (1, 2, 3)]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    high = max(high, low + 1)

    def place(value):
        return LEFT + (math.log10(value) - low) / (high - low) * (WIDTH - RIGHT - LEFT)
    ticks = [(10.0 ** power, f"{10.0 ** power:g} s") for power in range(low, high + 1)]
    return panel(top, groups, place, ticks, report.seconds,
                 "wall time, median, logarithmic; the thin line goes from the fastest run to the slowest")


def space_panel(top, space):
    held = {name: sum(days) for name, days in space.items() if name != "tree"}
    labels = {"tar czf": "tar czf (estimate)"}
    rows = [(labels.get(name) or " on ".join(name.split()).replace("xfs", "XFS"), value, value, value,
             name.startswith("ours")) for name, value in sorted(held.items(), key=lambda item: item[1])]
    # Four or five round steps.
    most = max(held.values())
    step = 10 ** math.floor(math.log10(most))
    step = next(step * part for part in (0.2, 0.5, 1, 2) if most / (step * part) <= 5.5)

    def place(value):
        return LEFT + value / (step * math.ceil(most / step)) * (WIDTH - RIGHT - LEFT)
    unit, size = ("GB", 1e9) if most >= 1e9 else ("MB", 1e6)
    ticks = [(step * at, f"{step * at / size:g} {unit}") for at in range(math.ceil(most / step) + 1)]
    return panel(top, {f"Space after {len(space['tree'])} daily backups": rows}, place, ticks,
                 lambda value: f"{value / size:.2f} {unit}", "allocated bytes, linear")


def svg(document):
    results, options = document["results"], document["options"]
    parts = [text(16, 30, "Archives compared in one run" + (" (trial, --quick)" if options["quick"] else ""), 18,
                  weight="bold"),
             text(16, 50, f"{document['machine']['cpu']}, {document['machine']['cores']} cores, Linux "
                          f"{document['machine']['kernel']}, {document['machine']['date']}")]
    bottom = 56
    if any(name in results for name in report.SCENARIOS):
        more, bottom = wall_panel(bottom, results, options)
        parts += more
    if "space" in results:
        more, bottom = space_panel(bottom + 24, results["space"])
        parts += more
    height = bottom + 20
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" '
        f'height="{height:.0f}" font-family="DejaVu Sans, Helvetica, Arial, sans-serif" role="img">',
        "<title>Wall time and space of ours, tar, restic and borg</title>",
        f'<rect width="{WIDTH}" height="{height:.0f}" fill="#ffffff"/>', *parts, "</svg>"]) + "\n"
