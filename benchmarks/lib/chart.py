#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Draws results.svg: wall times on a logarithmic axis, and below them space after some days.

usage: chart.py RESULTS_JSON SVG. The same figures give the same bytes. By Debian's Python, as matplotlib is Debian's.
"""
import json
import pathlib
import sys

import matplotlib
import report

matplotlib.use("svg")
# Text stays text, and nothing in the file depends on chance or on the day.
matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "results", "font.size": 9})

import matplotlib.pyplot as plt
from matplotlib.ticker import FuncFormatter

OURS, PEER, INK = "#d1495b", "#8fa8bf", "#22303c"
# Rows of the chart, in inches.
BAR, GAP, FRAME = 0.19, 0.32, 0.9


def wall_groups(results, options):
    """Title to rows of (label, value, least, most, is ours)."""
    return {report.title(name, options): [
        (tool["label"], tool["wall"], min(run["wall"] for run in tool["runs"]),
         max(run["wall"] for run in tool["runs"]), key == "ours")
        for key, tool in sorted(results[name].items(), key=lambda item: item[1]["wall"])]
        for name in report.SCENARIOS if name in results}


def space_group(space):
    held = {name: sum(days) for name, days in space.items() if name != "tree"}
    labels = {"tar czf": "tar czf (estimate)"}
    return {f"Space after {len(space['tree'])} daily backups": [
        (labels.get(name) or " on ".join(name.split()).replace("xfs", "XFS"), value, value, value,
         name.startswith("ours")) for name, value in sorted(held.items(), key=lambda item: item[1])]}


def height(groups):
    return FRAME + sum(GAP + BAR * len(rows) for rows in groups.values())


def draw(axes, groups, show, label):
    names, y = [], 0.0
    for title, rows in groups.items():
        axes.annotate(title, (0, y + GAP * 0.7), xycoords=("axes fraction", "data"), xytext=(-150, 0),
                      textcoords="offset points", weight="bold", color=INK)
        y += GAP
        for name, value, least, most, ours in rows:
            middle = y + BAR / 2
            axes.barh(middle, value, BAR * 0.75, color=OURS if ours else PEER)
            if most > least:
                axes.plot([least, most], [middle, middle], color=INK, linewidth=1.2)
            axes.annotate(show(value), (most, middle), xytext=(4, 0), textcoords="offset points", va="center",
                          color=INK)
            names.append((middle, name, ours))
            y += BAR
    axes.set_ylim(y + 0.08, 0)
    axes.set_yticks([middle for middle, _, _ in names], [name for _, name, _ in names])
    for text, (_, _, ours) in zip(axes.get_yticklabels(), names, strict=True):
        text.set_weight("bold" if ours else "normal")
    axes.tick_params(axis="y", length=0)
    axes.set_axisbelow(True)
    axes.grid(axis="x", color="#dde3e8")
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel(label)


def figure(document):
    results, options, machine = document["results"], document["options"], document["machine"]
    panels = []
    if walls := wall_groups(results, options):
        panels.append((walls, report.seconds, "log",
                       "wall time, median, logarithmic; the thin line goes from the fastest run to the slowest"))
    if "space" in results:
        panels.append((space_group(results["space"]), lambda value: f"{value / 1e9:.2f} GB", "linear",
                       "allocated, linear"))
    heights = [height(groups) for groups, *_ in panels]
    drawn = plt.figure(figsize=(10, sum(heights) + 0.6), layout="constrained")
    drawn.suptitle("Archives compared in one run" + (" (trial, --quick)" if options["quick"] else "") + "\n"
                   f"{machine['cpu']}, {machine['cores']} cores, Linux {machine['kernel']}, {machine['date']}",
                   color=INK)
    drawn.supylabel("scenario and program", size="medium")
    places = drawn.subplots(len(panels), 1, squeeze=False, gridspec_kw={"height_ratios": heights})[:, 0]
    for axes, (groups, show, scale, label) in zip(places, panels, strict=True):
        axes.set_xscale(scale)
        axes.margins(x=0.09)
        draw(axes, groups, show, label)
        if scale == "log":
            axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g} s"))
        else:
            axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / 1e9:g} GB"))
    return drawn


def main():
    document = json.loads(pathlib.Path(sys.argv[1]).read_text())
    if any(name in document["results"] for name in [*report.SCENARIOS, "space"]):
        figure(document).savefig(sys.argv[2], format="svg", metadata={
            "Date": None, "Creator": None, "Title": "Wall time and space of ours, tar, restic and borg"})


if __name__ == "__main__":
    main()
