# SPDX-License-Identifier: Apache-2.0
"""A stack of its own by scripts/up, filled with backups and task records, and nginx with the same bytes beside it."""
import contextlib
import hashlib
import json
import os
import pathlib
import re
import socket
import sqlite3
import subprocess
import time
import urllib.request

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
PACKAGES = {"wrk": "wrk", "nginx": "nginx-light", "curl": "curl"}
DAY = 86_400


def free_ports(count):
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


class Stack:
    def __init__(self, home, binary):
        self.data = home / "data"
        self.binary = binary
        self.postgres, self.mlflow, self.port = free_ports(3)
        self.url = f"http://127.0.0.1:{self.port}"
        self.data.mkdir()
        (self.data / "user.env").write_text("LOG_SYSLOG=false\nBACKUP_MAX_BACKUPS=600\nBACKUP_KEEP_DAYS=3650\n")

    def up(self, *arguments):
        environment = {name: os.environ[name] for name in ("PATH", "HOME", "MLFLOW_ENV_DIR") if name in os.environ}
        subprocess.run(
            [REPOSITORY / "scripts/up", "--data", self.data, *arguments], check=True, stdout=subprocess.DEVNULL,
            env=environment | {"MLFLOW_BACKUP_BINARY": str(self.binary), "LC_ALL": "C.UTF-8", "MLFLOW_WORKERS": "1"})

    def start(self):
        self.up("--postgres-port", str(self.postgres), "--mlflow-port", str(self.mlflow),
                "--backup-port", str(self.port))

    def stop(self):
        self.up("--stop")

    @property
    def pid(self):
        return int((self.data / "run/backup.pid").read_text().split()[0])

    def forget_peak(self):
        """The highest there was is from here on what is now (proc(5), clear_refs)."""
        pathlib.Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def memory(self):
        """Resident bytes now, of these what no file backs, and the highest since the last `forget_peak`."""
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        now, anonymous, peak = (int(re.search(rf"{name}:\s+(\d+) kB", status)[1]) * 1024
                                for name in ("VmRSS", "RssAnon", "VmHWM"))
        return {"now": now, "anonymous": anonymous, "peak": peak}

    def command(self, *arguments):
        subprocess.run([self.data / "mlflow-backup", *arguments], check=True, stdout=subprocess.DEVNULL)

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=120) as answer:
            return answer.read()

    def fill(self, backups, tasks):
        """Copies of one real backup under other dates, which their sidecars have, too, and records as the service's."""
        self.command("backup", "--quiet")
        folder = self.data / "backups"
        name = next(folder.glob("mlflow_backup_*.tar.gz")).name.removesuffix(".tar.gz")
        sidecar = (folder / f"{name}.tar.gz.json").read_text()
        now = int(time.time())
        for number in range(1, backups):
            other = time.strftime("mlflow_backup_%Y%m%d_%H%M%S", time.localtime(now - number * DAY // 2))
            os.link(folder / f"{name}.tar.gz", folder / f"{other}.tar.gz")
            (folder / f"{other}.tar.gz.json").write_text(sealed(sidecar.replace(name, other)))
        with contextlib.closing(sqlite3.connect(next(self.data.rglob("tasks.sqlite")))) as store, store:
            owner = store.execute("SELECT owner FROM task LIMIT 1").fetchone()[0]
            store.executemany(
                "INSERT INTO task (id, kind, origin, status, message_zh, message_en, created_at, started_at,"
                " completed_at, backup_name, output_zh, output_en, owner)"
                " VALUES (?, 'backup', 'api', 'completed', '备份完成', 'backup completed', ?, ?, ?, ?, '', '', ?)",
                [(f"00000000-0000-4000-8000-{number:012d}", at, at, at + 9, name, owner)
                 for number in range(tasks) for at in [now - (tasks - number) * 60]])


def sealed(text):
    """The seal is the SHA-256 of the sidecar with zeros in the seal's place (docs/backup-format.md)."""
    seal = json.loads(text).get("seal")
    if seal is None:
        return text
    empty = text.replace(seal, "0" * len(seal))
    return empty.replace("0" * len(seal), hashlib.sha256(empty.encode()).hexdigest())


class Nginx:
    """Debian's nginx as it is configured, but for its folder and port."""

    def __init__(self, home):
        self.root = home / "nginx"
        self.files = self.root / "files"
        self.files.mkdir(parents=True)
        self.port = free_ports(1)[0]
        self.url = f"http://127.0.0.1:{self.port}"
        (self.root / "nginx.conf").write_text(f"""
user root;
worker_processes auto;
pid {self.root}/pid;
error_log {self.root}/error.log;
events {{ worker_connections 2048; }}
http {{
    sendfile on;
    tcp_nopush on;
    access_log off;
    default_type application/json;
    server {{ listen 127.0.0.1:{self.port} backlog=1024; root {self.files}; }}
}}
""")
        self.process = subprocess.Popen(["nginx", "-g", "daemon off;", "-c", self.root / "nginx.conf"])

    def serve(self, name, content):
        (self.files / name).write_bytes(content)

    def link(self, name, path):
        (self.files / name).symlink_to(path)

    def stop(self):
        self.process.terminate()
        self.process.wait()
