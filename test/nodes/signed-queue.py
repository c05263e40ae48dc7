#!/usr/bin/env python3
"""A queue that takes signed messages alone: signed-queue.py PORT FOLDER. Writes each message it takes to FOLDER/taken, a line each.

Answers with the status in FOLDER/status while that is there. Checks AWS Signature Version 4 by the book, with the key pair of the test.
"""
import hashlib
import hmac
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

KEY, SECRET = os.environ["TEST_KEY"], os.environ["TEST_SECRET"]
PORT, FOLDER = int(sys.argv[1]), sys.argv[2]


def signature_of(path, headers, body, scope, signed):
    lines = "".join(f"{name}:{' '.join((headers[name] or '').split())}\n" for name in signed)
    request = f"POST\n{path}\n\n{lines}\n{';'.join(signed)}\n{hashlib.sha256(body).hexdigest()}"
    text = f"AWS4-HMAC-SHA256\n{headers['x-amz-date']}\n{'/'.join(scope)}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = f"AWS4{SECRET}".encode()
    for part in scope:
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


class Queue(BaseHTTPRequestHandler):
    def answer(self, status, text=""):
        self.send_response(status)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def do_POST(self):  # noqa: N802 (name given by http.server)
        body = self.rfile.read(int(self.headers["content-length"]))
        status = os.path.join(FOLDER, "status")
        with open(os.path.join(FOLDER, "asked"), "a", encoding="utf-8") as asked:
            asked.write("asked\n")
        if os.path.exists(status):
            with open(status, encoding="utf-8") as file:
                return self.answer(int(file.read()))
        parts = dict(part.strip().split("=", 1) for part in self.headers["authorization"].split(" ", 1)[1].split(","))
        key, *scope = parts["Credential"].split("/")
        signed = parts["SignedHeaders"].split(";")
        expected = signature_of(self.path, self.headers, body, scope, signed)
        if key != KEY or parts["Signature"] != expected or "x-amz-security-token" not in signed or scope[1:] != ["eu-west-1", "sqs", "aws4_request"]:
            return self.answer(403, f"signature: got {parts}")
        form = parse_qs(body.decode())
        if form.get("Action") != ["SendMessage"]:
            return self.answer(400)
        with open(os.path.join(FOLDER, "taken"), "a", encoding="utf-8") as taken:
            taken.write(form["MessageBody"][0] + "\n")
        return self.answer(200)

    def log_message(self, *_):
        """The test reads the folder."""


ThreadingHTTPServer(("127.0.0.1", PORT), Queue).serve_forever()
