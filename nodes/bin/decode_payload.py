#!/usr/bin/env python3
"""Decodes the payload of apply-config into a folder: decode_payload.py ROLE FOLDER, payload in the variable PAYLOAD.

Prints the version. Writes only files of a fixed list, and nothing when anything is wrong.
"""
import base64
import json
import os
import re
import sys

FILES = {"lb": ["haproxy.cfg", "keepalived.conf"], "orion": ["orion.env"], "mongo": ["mongod.conf"]}
OF_ANY_OTHER = ["service.conf", "service.env"]
VERSION = re.compile(r"[0-9a-f]{4,32}")
CONTENT_MAX = 65536
ODD = re.compile("[\0\ud800-\udfff]")


def decode(role, text):
    """The version and the files in a payload, or a ValueError in words."""
    try:
        payload = json.loads(base64.b64decode(text, validate=True))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"payload: expected base64 of JSON; {error}")
    if not isinstance(payload, dict):
        payload = {"role": payload}
    if payload.get("role") != role:
        raise ValueError(f"payload.role: expected {role}, the role of this node; got {json.dumps(payload.get('role'))}")
    version, files = payload.get("version"), payload.get("files")
    if not isinstance(version, str) or not VERSION.fullmatch(version):
        raise ValueError(f"payload.version: expected 4 to 32 hex digits; got {json.dumps(version)}")
    names = FILES.get(role, OF_ANY_OTHER)
    if not isinstance(files, list) or sorted(isinstance(f, dict) and str(f.get("name")) or "" for f in files) != names:
        raise ValueError(f"payload.files: expected exactly {', '.join(names)}")
    for file in files:
        content = file.get("content")
        if not isinstance(content, str) or len(content) > CONTENT_MAX or ODD.search(content):
            raise ValueError(f"payload.files {file['name']}: expected text of at most {CONTENT_MAX} characters")
    return version, files


def main():
    role, folder = sys.argv[1:]
    try:
        version, files = decode(role, os.environ.get("PAYLOAD", ""))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 65
    for file in files:
        with open(os.path.join(folder, file["name"]), "w", encoding="utf-8") as out:
            out.write(file["content"])
    print(version)
    return 0


if __name__ == "__main__":
    sys.exit(main())
