#!/bin/bash
# Installs a node: install.sh ROLE. Run by user data at the first boot of an instance and at the build of a lab image; doing it twice changes nothing.
# FIWARE_HA_PACKAGES=none leaves packages to the image's builder.
set -euo pipefail

role=${1:-}
case $role in
  lb) packages=(haproxy keepalived python3 curl iproute2 procps) ;;
  orion) packages=(docker.io python3 curl iproute2 procps) settings=orion.env ;;
  mongo) packages=(docker.io python3 curl iproute2 procps) settings=mongod.conf ;;
  *) echo "usage: install.sh lb|orion|mongo; got '$role'" >&2 && exit 64 ;;
esac

here=$(dirname "$(readlink -f "$0")")
if [ "${FIWARE_HA_PACKAGES:-}" != none ]; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get -o Acquire::Retries=5 update
  apt-get -o Acquire::Retries=5 -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "${packages[@]}"
fi

install -d -m 0755 /opt/fiware-ha/bin /opt/fiware-ha/mongo /etc/fiware-ha /var/lib/fiware-ha
if [ "$here" != /opt/fiware-ha ]; then
  install -m 0755 "$here"/bin/* /opt/fiware-ha/bin/
  install -m 0644 "$here"/mongo/replica-set.js /opt/fiware-ha/mongo/
fi
chmod 0755 /opt/fiware-ha/bin/*

if [ "$role" = lb ]; then
  # Both answer to the control plane's configuration alone; Debian's own start would be an empty one.
  echo 'net.ipv4.ip_nonlocal_bind = 1' >/etc/sysctl.d/60-fiware-ha.conf
  if [ -d /run/systemd/system ]; then sysctl -q -p /etc/sysctl.d/60-fiware-ha.conf && systemctl enable haproxy keepalived; fi
elif [ -d /run/systemd/system ]; then
  # Three quick restarts of its own, then the process stays down for the control plane to see: a failure is not hidden by a loop.
  cat >/etc/systemd/system/fiware-ha-role.service <<UNIT
[Unit]
Description=fiware-ha $role
After=network-online.target docker.service
Wants=network-online.target
ConditionPathExists=/etc/fiware-ha/$settings
StartLimitIntervalSec=600
StartLimitBurst=4

[Service]
ExecStart=/opt/fiware-ha/bin/run-role $role
Restart=on-failure
RestartSec=2
TimeoutStopSec=30
LimitNOFILE=65536

[Install]
WantedBy=multi-user.target
UNIT
  systemctl daemon-reload
  systemctl enable fiware-ha-role
fi

# Last of all: from here on the node takes configurations.
echo "$role" >/var/lib/fiware-ha/role
