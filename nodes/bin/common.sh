# shellcheck shell=bash
# Shared by the node scripts: where things stand, how a result is printed. Sourced, never run.

# A prefix for tests; empty on a node.
ROOT=${FIWARE_HA_ROOT:-}
HOME_DIR=$ROOT/opt/fiware-ha
STATE_DIR=$ROOT/var/lib/fiware-ha
CONFIG_DIR=$ROOT/etc/fiware-ha

# Exit codes of sysexits.h: the caller tells "try later" from "this will never work".
readonly EX_DATAERR=65 EX_TEMPFAIL=75

# Prints the one JSON line the control plane reads, and ends. fail CODE WORDS...
fail() {
  local code=$1
  shift
  python3 -c 'import json, sys; print(json.dumps({"ok": False, "error": sys.argv[1]}))' "$*"
  exit "$code"
}

# The role this node was installed for; a node that is still installing says so.
installed_role() {
  [ -f "$STATE_DIR/role" ] || fail "$EX_TEMPFAIL" "the node is not installed yet: its first boot is still running, or failed (see /var/log/cloud-init-output.log)"
  cat "$STATE_DIR/role"
}

has_systemd() {
  [ -z "$ROOT" ] && [ -d /run/systemd/system ]
}
