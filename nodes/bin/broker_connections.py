#!/usr/bin/env python3
"""Counts the connections that other machines have open to ports of this node: broker_connections.py [PORT...]. Reads /proc alone, closes nothing."""
import ipaddress
import sys

ORION_PORT = 1026
ESTABLISHED = "01"


def text_of(path):
    """A file of /proc; empty where the kernel has none."""
    try:
        with open(path, encoding="ascii") as file:
            return file.read()
    except OSError:
        return ""


def own_addresses():
    """Networks that lead to this machine itself, as the kernel routes them."""
    own, address = [ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128")], None
    for line in (text_of("/proc/net/fib_trie")).splitlines():
        words = line.split()
        if words[:1] == ["|--"]:
            address = words[1]
        elif words[1:] == ["host", "LOCAL"] and address:
            own.append(ipaddress.ip_network(address + words[0], strict=False))
    for line in (text_of("/proc/net/if_inet6")).splitlines():
        own.append(ipaddress.ip_network(int(line.split()[0], 16).to_bytes(16, "big")))
    return own


def address_in(text):
    """An address as /proc/net/tcp writes it: words of four bytes, the last one first."""
    raw = bytes.fromhex(text)
    address = ipaddress.ip_address(b"".join(raw[i : i + 4][:: -1 if sys.byteorder == "little" else 1] for i in range(0, len(raw), 4)))
    return getattr(address, "ipv4_mapped", None) or address


def connections(ports=(ORION_PORT,)):
    """Established connections to any of the ports from other machines."""
    own, count = own_addresses(), 0
    for path in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in text_of(path).splitlines()[1:]:
            _, local, remote, state = line.split()[:4]
            if state != ESTABLISHED or int(local.split(":")[1], 16) not in ports:
                continue
            address = address_in(remote.split(":")[0])
            count += not any(address in network for network in own)
    return count


if __name__ == "__main__":
    print(connections([int(port) for port in sys.argv[1:]] or (ORION_PORT,)))
