# SPDX-License-Identifier: Apache-2.0
"""A small web server for the tests. usage: web_server.py FOLDER; FOLDER/port appears when it listens;
while FOLDER/broken is there, each POST is 500."""
import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    def answer(self, status, body, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == "/version":
            self.answer(200, b"2.14.1")
        elif self.path == "/big":
            self.answer(200, b"x" * (2 << 20))
        elif self.path == "/elsewhere":
            self.answer(302, b"", Location="/version")
        elif self.path == "/slow":
            time.sleep(30)
        else:
            self.answer(404, b"nothing here")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with open(os.path.join(sys.argv[1], "log.jsonl"), "a", encoding="utf-8") as log:
            log.write(json.dumps({"path": self.path, "body": body.decode()}, ensure_ascii=False) + "\n")
        if os.path.exists(os.path.join(sys.argv[1], "broken")):
            self.answer(500, b"broken")
        elif self.path.startswith("/refused"):
            self.answer(404, b"not found")
        else:
            self.answer(200, self.headers["Content-Type"].encode() + b" " + body)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open(os.path.join(sys.argv[1], "port.partial"), "w") as file:
    file.write(str(server.server_address[1]))
os.rename(os.path.join(sys.argv[1], "port.partial"), os.path.join(sys.argv[1], "port"))
server.serve_forever()
