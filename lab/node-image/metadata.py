#!/usr/bin/env python3
"""Instance metadata (IMDSv2) of a lab node: serves what the lab wrote into a file, to this container alone. Makes nothing up.

On EC2 the service at 169.254.169.254 hands out the instance role's credentials; the emulator's own hands out
credentials of no role, which IAM would refuse. The file is written by the lab at boot and again before the
credentials end; it is read anew for each request.
"""
import json
import secrets
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FILE = "/run/fiware-ha-lab/metadata.json"
TOKENS = set()


def lookup(path):
    """The text at a metadata path such as latest/meta-data/instance-id; None where there is none."""
    with open(FILE, encoding="utf-8") as file:
        facts = json.load(file)
    role = facts["roleName"]
    base = "/latest/meta-data/"
    texts = {
        base + "instance-id": facts["instanceId"],
        base + "local-ipv4": facts["privateIp"],
        base + "placement/region": facts["region"],
        base + "placement/availability-zone": facts["zone"],
        base + "iam/security-credentials": role,
        base + "iam/security-credentials/" + role: json.dumps(facts["credentials"]),
    }
    for key, value in facts["tags"].items():
        texts[base + "tags/instance/" + key] = value
    return texts.get(path.rstrip("/"))


class Metadata(BaseHTTPRequestHandler):
    """GET with a token, as IMDSv2 asks for; without one the answer is 401."""

    def answer(self, status, text=""):
        body = text.encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_PUT(self):  # noqa: N802 (name given by http.server)
        if self.path != "/latest/api/token" or "x-aws-ec2-metadata-token-ttl-seconds" not in self.headers:
            return self.answer(400)
        token = secrets.token_urlsafe(32)
        TOKENS.add(token)
        return self.answer(200, token)

    def do_GET(self):  # noqa: N802
        if self.headers.get("x-aws-ec2-metadata-token") not in TOKENS:
            return self.answer(401)
        try:
            text = lookup(self.path)
        except (OSError, ValueError, KeyError):
            return self.answer(503)
        return self.answer(404) if text is None else self.answer(200, text)

    def log_message(self, *_):
        """Requests are not logged: paths are dull and answers are secret."""


if __name__ == "__main__":
    ThreadingHTTPServer(("169.254.169.254", 80), Metadata).serve_forever()
