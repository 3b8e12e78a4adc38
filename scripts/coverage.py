# SPDX-License-Identifier: Apache-2.0
"""What `llvm-cov export -summary-only` says: lines run and lines by target. Fails below 90 % of an engine."""

import collections
import json
import sys

LEAST = {"Archive": 90, "Backup": 90, "Postgres": 90}

lines = collections.defaultdict(lambda: [0, 0])
for file in json.load(sys.stdin)["data"][0]["files"]:
    _, found, path = file["filename"].partition("/Sources/")
    if found and not path.startswith("CShims/"):
        counts = lines[path.split("/")[0]]
        counts[0] += file["summary"]["lines"]["covered"]
        counts[1] += file["summary"]["lines"]["count"]

low = []
for target, (covered, count) in sorted(lines.items()):
    share = 100 * covered / count
    print(f"{target:15}{covered:7} /{count:7}{share:7.1f} %")
    if share < LEAST.get(target, 0):
        low.append(target)
missing = sorted(LEAST.keys() - lines.keys())
if low or missing:
    sys.exit(f"below 90 %: {', '.join(low + missing)}")
