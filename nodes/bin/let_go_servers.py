#!/usr/bin/env python3
"""Tells the running HAProxy to send nothing new to servers that a configuration lacks: let_go_servers.py FILE.

Before a reload: the worker of before goes on answering connections that clients keep open, and would choose among its old servers.
Requests under way end as they would have. Nothing else is changed; a reload forgets it.
"""
import re
import socket
import sys

SOCKET = "/run/haproxy/admin.sock"


def ask(command):
    """HAProxy's answer to one command."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(2)
        connection.connect(SOCKET)
        connection.sendall(command.encode() + b"\n")
        return b"".join(iter(lambda: connection.recv(65536), b"")).decode()


def servers_in(path):
    """Backend, server and address of each server line."""
    backend, servers = "", set()
    with open(path, encoding="utf-8") as file:
        for line in file:
            section = re.match(r"(?:backend|listen)\s+(\S+)", line)
            backend = section.group(1) if section else backend
            server = re.match(r"\s+server\s+(\S+)\s+([\d.]+):", line)
            if server:
                servers.add((backend, *server.groups()))
    return servers


def main():
    kept = servers_in(sys.argv[1])
    rows = [line.split() for line in ask("show servers state").splitlines()[2:]]
    for backend, server, address in {(row[1], row[3], row[4]) for row in rows if len(row) > 4} - kept:
        ask(f"set server {backend}/{server} state drain")


if __name__ == "__main__":
    main()
