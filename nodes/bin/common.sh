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

# What runs a role's process: a replacement in /opt/fiware-ha/override (the lab's stand-ins), a native binary, or a container image.
runner() {
  local binary=contextBroker
  [ "$1" = orion ] || binary=mongod
  if [ -x "$HOME_DIR/override/$1" ]; then echo override
  elif command -v "$binary" >/dev/null; then echo binary
  else echo image; fi
}

# Runs mongo/NAME.js on this member, and prints what it prints: run_mongo_script NAME PAYLOAD (base64 JSON).
run_mongo_script() {
  [ $# -eq 2 ] || fail "$EX_DATAERR" "usage: $1 PAYLOAD (base64 JSON)"
  [[ $2 =~ ^[A-Za-z0-9+/]+={0,2}$ ]] || fail "$EX_DATAERR" "payload: expected base64"
  installed_role
  [ "$role" = mongo ] || fail "$EX_DATAERR" "this node is installed for $role, not as a member of a replica set"
  export FIWARE_HA_PAYLOAD=$2
  local output uri shell=(mongosh)
  command -v mongosh >/dev/null || shell=(docker exec -i -e FIWARE_HA_PAYLOAD fiware-ha-mongod mongosh)
  uri='mongodb://127.0.0.1:27017/admin?directConnection=true&serverSelectionTimeoutMS=5000'
  output=$("${shell[@]}" --quiet --norc "$uri" --file "$HOME_DIR/mongo/$1.js" 2>&1 </dev/null) ||
    fail "$EX_TEMPFAIL" "mongosh: $(tail -n 3 <<<"$output" | tr '\n' ' ')"
  printf '%s\n' "$output"
}
