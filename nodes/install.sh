#!/bin/bash
# Installs a node: install.sh ROLE. Run by user data at the first boot of an instance and at the build of a lab image; doing it twice changes nothing.
# FIWARE_HA_PACKAGES=none leaves packages to the image's builder; FIWARE_HA_ROOT puts everything below another folder (tests).
set -euo pipefail

role=${1:-}
[[ $role =~ ^[a-z][a-z0-9-]{1,30}$ ]] || {
  echo "usage: install.sh ROLE, a lower-case letter first, then 1 to 30 of a-z, 0-9 and hyphens; got '$role'" >&2
  exit 64
}
packages=(docker.io)
case $role in
  lb) packages=(haproxy keepalived) ;;
  orion) settings=orion.env stop_s=10 ;;
  mongo) settings=mongod.conf stop_s=30 ;;
  # Of the catalogue: the same for all of them.
  *) settings=service.env stop_s=30 ;;
esac

here=$(dirname "$(readlink -f "$0")")
root=${FIWARE_HA_ROOT:-}
home=$root/opt/fiware-ha
if [ -z "$root" ] && [ -d /run/systemd/system ]; then systemd=yes; else systemd=no; fi

if [ "${FIWARE_HA_PACKAGES:-}" != none ]; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get -o Acquire::Retries=5 update
  apt-get -o Acquire::Retries=5 -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "${packages[@]}" curl iproute2 procps python3
fi

install -d -m 0755 "$home/bin" "$home/mongo" "$root/etc/fiware-ha" "$root/var/lib/fiware-ha"
if [ "$here" != "$home" ]; then
  install -m 0755 "$here"/bin/* "$home/bin/"
  install -m 0644 "$here"/mongo/replica-set.js "$home/mongo/"
fi

install_lb() {
  if [ "$systemd" = yes ]; then
    systemctl enable haproxy keepalived
  elif [ -z "$root" ]; then
    # A master that can hand its sockets on; systemd's unit asks for one by itself.
    echo 'EXTRAOPTS="-W"' >/etc/default/haproxy
  fi
}

# Three quick restarts of its own, then the process stays down for the control plane to see: a failure is not hidden by a loop.
# Without systemd there are none: a dead process stays dead until restart-role.
install_service() {
  [ "$systemd" = yes ] || return 0
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
TimeoutStopSec=$stop_s
LimitNOFILE=65536

[Install]
WantedBy=multi-user.target
UNIT
  # Tells what runs, to the control plane's probes alone; it has no rights beyond reading.
  cat >/etc/systemd/system/fiware-ha-report.service <<UNIT
[Unit]
Description=fiware-ha report of $role

[Service]
ExecStart=/opt/fiware-ha/bin/report-config
Restart=always
RestartSec=5
DynamicUser=yes
ProtectHome=yes
MemoryMax=64M
TasksMax=32

[Install]
WantedBy=multi-user.target
UNIT
  systemctl daemon-reload
  systemctl enable fiware-ha-role
  systemctl enable --now fiware-ha-report
}

if [ "$role" = lb ]; then install_lb; else install_service; fi

# Last of all: from here on the node takes configurations.
echo "$role" >"$root/var/lib/fiware-ha/role"
