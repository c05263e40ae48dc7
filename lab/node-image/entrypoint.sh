#!/bin/sh
# First process of a lab node: gives it instance metadata at EC2's address, and its report of what runs, a unit of systemd on an instance.
# The role's services are started by the node scripts.
ip address add 169.254.169.254/32 dev lo
if [ "$(cat /var/lib/fiware-ha/role)" != lb ]; then
  while :; do
    /opt/fiware-ha/bin/report-config
    sleep 1
  done &
fi
while :; do
  python3 /opt/fiware-ha-lab/metadata.py
  sleep 1
done
