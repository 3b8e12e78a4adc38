# SPDX-License-Identifier: Apache-2.0
"""A proxy before an object store that goes wrong as it is told. usage: faulty_proxy.py FOLDER PORT UPSTREAM_PORT

FOLDER/port appears when it listens. FOLDER/mode is read for each request:
  pass   hands it on
  busy   503 for every other request
  down   503 for each
  hang   takes the request and says nothing
  cut N  closes the connection after N bytes of each answer's body that is longer
  slam   closes the connection without an answer, every other request
  late   200, and an error in the body, for every other request to copy
  region NAME  refuses what is signed for another region, and says which it is
FOLDER/log.jsonl has each request and what became of it.
"""
import http.client
import itertools
import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FOLDER, PORT, UPSTREAM = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
numbers = itertools.count()
lock = threading.Lock()
ended = threading.Event()


def mode():
    try:
        with open(os.path.join(FOLDER, "mode"), encoding="utf-8") as file:
            return file.read().split()
    except FileNotFoundError:
        return ["pass"]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_any(self):
        length = int(self.headers.get("Content-Length") or 0)
        words = mode()
        odd = next(numbers) % 2 == 0
        if words[0] == "hang":
            self.note("hang")
            ended.wait()
        elif words[0] == "slam" and odd:
            self.note("slam")
            self.close_connection = True
            self.connection.close()
        else:
            self.answer(words, odd, self.rfile.read(length) if length else b"")

    def answer(self, words, odd, body):
        if words[0] == "down" or (words[0] == "busy" and odd):
            self.refuse(503, "<Code>SlowDown</Code><Message>Please reduce your request rate.</Message>")
        elif words[0] == "late" and odd and "x-amz-copy-source" in self.headers:
            self.refuse(200, "<Code>InternalError</Code><Message>Try again.</Message>")
        elif words[0] == "region" and f"/{words[1]}/" not in self.headers.get("Authorization", ""):
            self.refuse(400, f"<Code>AuthorizationHeaderMalformed</Code><Region>{words[1]}</Region>")
        else:
            self.hand_on(body, int(words[1]) if words[0] == "cut" else None)

    def refuse(self, status, words):
        self.note(status)
        answer = f"<Error>{words}</Error>".encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer)

    def hand_on(self, body, cut):
        upstream = http.client.HTTPConnection("127.0.0.1", UPSTREAM, timeout=60)
        # The request as it is: the signature has the host that the client named.
        upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in ("connection", "expect"):
                upstream.putheader(name, value)
        upstream.endheaders(body or None)
        answer = upstream.getresponse()
        content = answer.read()
        self.note(answer.status)
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "transfer-encoding", "content-length", "date", "server"):
                self.send_header(name, value)
        said = answer.getheader("Content-Length") if self.command == "HEAD" else None
        self.send_header("Content-Length", said or str(len(content)))
        self.end_headers()
        if cut is not None and len(content) > cut:
            content = content[:cut]
            self.close_connection = True
        self.wfile.write(content)
        upstream.close()

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_PROPFIND = handle_any

    def note(self, outcome):
        line = json.dumps({"method": self.command, "path": self.path, "outcome": outcome,
                           "range": self.headers.get("Range")})
        with lock, open(os.path.join(FOLDER, "log.jsonl"), "a", encoding="utf-8") as log:
            log.write(line + "\n")

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True


server = Server(("127.0.0.1", PORT), Handler)
with open(os.path.join(FOLDER, "port.partial"), "w", encoding="utf-8") as file:
    file.write(str(server.server_address[1]))
os.rename(os.path.join(FOLDER, "port.partial"), os.path.join(FOLDER, "port"))
server.serve_forever()
