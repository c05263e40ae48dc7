#!/bin/sh
# First process of a lab node: gives it instance metadata at EC2's address. The role's services are started by the node scripts.
ip address add 169.254.169.254/32 dev lo
while :; do
  python3 /opt/fiware-ha-lab/metadata.py
  sleep 1
done
