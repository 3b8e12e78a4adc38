# SPDX-License-Identifier: Apache-2.0
"""Another process that writes to the task database. usage: task_writer.py DATABASE COUNT"""
import sqlite3
import sys

database = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)
database.row_factory = sqlite3.Row
for _ in range(int(sys.argv[2])):
    database.execute("BEGIN IMMEDIATE")
    count = database.execute("SELECT warning_count FROM task WHERE id = 'shared'").fetchone()[0]
    database.execute("UPDATE task SET warning_count = ? WHERE id = 'shared'", (count + 1,))
    database.execute("COMMIT")
