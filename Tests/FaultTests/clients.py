# SPDX-License-Identifier: Apache-2.0
"""Many clients of an MLflow server, each of which writes down what it was told is stored.

usage: clients.py write URL JOURNAL STOP_FILE CLIENTS SECONDS
       clients.py check URL JOURNAL ANSWERS

write: CLIENTS threads log runs, tags, parameters and artifacts by the REST API, without retries, until STOP_FILE is
there or SECONDS have passed. Each acknowledged thing (HTTP 200) becomes a line of JSON in JOURNAL.
check: writes into ANSWERS the keys of those lines that the server still answers for, with the right values and bytes.
"""
import concurrent.futures
import hashlib
import http.client
import json
import os
import sys
import threading
import time
import urllib.parse


class Server:
    """One connection, opened again after each failure."""

    def __init__(self, url):
        self.host = urllib.parse.urlsplit(url).netloc
        self.connection = None

    def ask(self, method, path, body=None, kind="application/json"):
        """The body of a 200, else None."""
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection(self.host, timeout=20)
            self.connection.request(method, path, body, {"Content-Type": kind} if body is not None else {})
            answer = self.connection.getresponse()
            content = answer.read()
            return content if answer.status == 200 else None
        except (OSError, http.client.HTTPException):
            if self.connection is not None:
                self.connection.close()
            self.connection = None
            return None

    def call(self, name, **values):
        return self.ask("POST", f"/api/2.0/mlflow/{name}", json.dumps(values))


def artifact_path(path):
    return "/api/2.0/mlflow-artifacts/artifacts/" + urllib.parse.quote(path)


def write(url, journal, stop_file, clients, seconds):
    lock = threading.Lock()
    deadline = time.monotonic() + float(seconds)

    def acknowledged(**what):
        with lock, open(journal, "a", encoding="utf-8") as output:
            output.write(json.dumps(what) + "\n")

    def is_over():
        return os.path.exists(stop_file) or time.monotonic() > deadline

    def client(number):
        server = Server(url)
        turn = 0
        while not is_over():
            turn += 1
            experiment = str(1 + (number + turn) % 3)
            made = server.call("runs/create", experiment_id=experiment, start_time=int(time.time() * 1000))
            if made is None:
                # The server is away, or its database is: that is no acknowledgement.
                time.sleep(0.2)
                continue
            run = json.loads(made)["run"]["info"]["run_id"]
            acknowledged(key=f"run {run}", kind="run", run=run)
            if server.call("runs/log-parameter", run_id=run, key="client", value=f"{number}.{turn}") is not None:
                acknowledged(key=f"param {run}", kind="param", run=run, value=f"{number}.{turn}")
            if server.call("runs/set-tag", run_id=run, key="turn", value=str(turn)) is not None:
                acknowledged(key=f"tag {run}", kind="tag", run=run, value=str(turn))
            for name in ("model.bin", "plots/loss.txt"):
                content = f"{name} of {run}\n".encode() * (1 + turn % 50)
                path = f"{experiment}/{run}/artifacts/{name}"
                if server.ask("PUT", artifact_path(path), content, "application/octet-stream") is not None:
                    digest = hashlib.sha256(content).hexdigest()
                    acknowledged(key=f"artifact {path}", kind="artifact", path=path, sha256=digest)
            time.sleep(0.1)

    threads = [threading.Thread(target=client, args=(number,), daemon=True) for number in range(int(clients))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=max(1.0, deadline + 60 - time.monotonic()))


def is_there(server, what):
    if what["kind"] == "artifact":
        content = server.ask("GET", artifact_path(what["path"]))
        return content is not None and hashlib.sha256(content).hexdigest() == what["sha256"]
    answer = server.ask("GET", "/api/2.0/mlflow/runs/get?run_id=" + what["run"])
    if answer is None:
        return False
    data = json.loads(answer)["run"].get("data", {})
    if what["kind"] == "param":
        return any(item["value"] == what["value"] for item in data.get("params", []) if item["key"] == "client")
    if what["kind"] == "tag":
        return any(item["value"] == what["value"] for item in data.get("tags", []) if item["key"] == "turn")
    return True


def check(url, journal, answers):
    with open(journal, encoding="utf-8") as lines:
        things = [json.loads(line) for line in lines]
    local = threading.local()

    def look(what):
        if not hasattr(local, "server"):
            local.server = Server(url)
        return what["key"] if is_there(local.server, what) else None

    with concurrent.futures.ThreadPoolExecutor(8) as pool, open(answers, "w", encoding="utf-8") as output:
        for key in pool.map(look, things):
            if key is not None:
                output.write(key + "\n")


if __name__ == "__main__":
    {"write": write, "check": check}[sys.argv[1]](*sys.argv[2:])
