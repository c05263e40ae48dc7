# shellcheck shell=bash disable=SC2034,SC2154
# Shared by the node scripts: where things stand, how a result is printed. Sourced, never run.

# A prefix for tests; empty on a node.
ROOT=${FIWARE_HA_ROOT:-}
HOME_DIR=$ROOT/opt/fiware-ha
STATE_DIR=$ROOT/var/lib/fiware-ha
CONFIG_DIR=$ROOT/etc/fiware-ha

# Exit codes of sysexits.h: the caller tells "try later" from "this will never work".
readonly EX_DATAERR=65 EX_TEMPFAIL=75

# Prints the one JSON line the control plane reads, with `outcome` where that is set, and ends. fail CODE WORDS...
fail() {
  local code=$1 words
  shift
  words=${*//[[:cntrl:]]/ }
  words=${words//\\/\\\\}
  printf '{"ok":false,%s"error":"%s"}\n' "${outcome:+\"outcome\":\"$outcome\",}" "${words//\"/\\\"}"
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

# File by file: its name in the payload, and where it is read; filled by load_kind.
targets=()

# What holds for the node's role alone; a role of the catalogue has no script of its own.
load_kind() {
  local kind=$HOME_DIR/bin/role-$role.sh
  [ -f "$kind" ] || kind=$HOME_DIR/bin/role-service.sh
  # shellcheck source=/dev/null
  . "$kind"
}

# runner [BINARY]: what runs the role's process: a replacement in /opt/fiware-ha/override (the lab's stand-ins), a native binary, or a
# container image.
runner() {
  if [ -x "$HOME_DIR/override/$role" ]; then echo override
  elif [ $# -gt 0 ] && command -v "$1" >/dev/null; then echo binary
  else echo image; fi
}

# A line that a process would not understand must not reach it.
check_environment() {
  local bad
  bad=$(grep -nvE '^[A-Z][A-Z0-9_]*=[A-Za-z0-9:/?=&.,_-]*$' "$staging/$1") && echo "$1: expected KEY=VALUE lines; got $bad" && return 1
  return 0
}

# ensure_image NAME: fetched unless it is there.
ensure_image() { docker image inspect "$1" >/dev/null 2>&1 || docker pull --quiet "$1"; }
