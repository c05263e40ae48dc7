# shellcheck shell=bash disable=SC2034
# Shared by the node scripts: where things stand, how a result is printed. Sourced, never run.

# A prefix for tests; empty on a node.
ROOT=${FIWARE_HA_ROOT:-}
HOME_DIR=$ROOT/opt/fiware-ha
STATE_DIR=$ROOT/var/lib/fiware-ha
CONFIG_DIR=$ROOT/etc/fiware-ha

# Exit codes of sysexits.h: the caller tells "try later" from "this will never work".
readonly EX_DATAERR=65 EX_TEMPFAIL=75

readonly ORION_IMAGE=telefonicaiot/fiware-orion MONGO_IMAGE=mongo:7.0

# Prints the one JSON line the control plane reads, and ends. fail CODE WORDS...
fail() {
  local code=$1 words
  shift
  words=${*//[[:cntrl:]]/ }
  words=${words//\\/\\\\}
  printf '{"ok":false,"error":"%s"}\n' "${words//\"/\\\"}"
  exit "$code"
}

# Sets `role` to what this node was installed for; a node that is still installing says so.
installed_role() {
  [ -f "$STATE_DIR/role" ] || fail "$EX_TEMPFAIL" "the node is not installed yet: its first boot is still running, or failed (see /var/log/cloud-init-output.log)"
  role=$(cat "$STATE_DIR/role")
}

# One change at a time; held on descriptor 9 until this script ends. Children that outlive it are started with 9>&-.
take_lock() {
  exec 9>"$STATE_DIR/lock"
  flock -w 60 9 || fail "$EX_TEMPFAIL" "another command is changing this node"
}

has_systemd() {
  [ -z "$ROOT" ] && [ -d /run/systemd/system ]
}

# What runs a role's process: a replacement in /opt/fiware-ha/override (the lab's stand-ins), a native binary, or a container image.
runner() {
  local binary=contextBroker
  [ "$1" = orion ] || binary=mongod
  if [ -x "$HOME_DIR/override/$1" ]; then echo override
  elif command -v "$binary" >/dev/null; then echo binary
  else echo image; fi
}
