# shellcheck shell=bash disable=SC2034,SC2154
# What is particular to a member: its file, its check, how it is run, whether it answers. Sourced by the node scripts, never run.

readonly MONGO_IMAGE=mongo:7.0
targets=(mongod.conf "$CONFIG_DIR/mongod.conf")

# A new member's sync wipes what is in its folder: only one that was seen empty once (the mark) is ever started with.
check_files() {
  local data=$STATE_DIR/mongo mark=$STATE_DIR/mongo-was-empty
  if [ ! -f "$mark" ]; then
    if [ -n "$(ls -A "$data" 2>/dev/null)" ]; then
      echo "$data holds data of an earlier database, expected an empty folder: nothing is started or wiped; terminate this instance if nobody needs them"
      return 1
    fi
    touch "$mark"
  fi
  grep -qE '^  replSetName: [A-Za-z][A-Za-z0-9_-]*$' "$staging/mongod.conf" || { echo "mongod.conf: expected a line replSetName"; return 1; }
  [ "$(runner mongod)" != binary ] || mongod --config "$staging/mongod.conf" --outputConfig
}

run_process() {
  local data=$STATE_DIR/mongo
  mkdir -p "$data"
  case $(runner mongod) in
    override) exec "$HOME_DIR/override/mongo" --config "$CONFIG_DIR/mongod.conf" --dbpath "$data" ;;
    binary) exec mongod --config "$CONFIG_DIR/mongod.conf" --dbpath "$data" ;;
  esac
  docker rm -f fiware-ha-mongod >/dev/null 2>&1 || true
  exec docker run --rm --name fiware-ha-mongod --network host --ulimit nofile=65536:65536 --stop-timeout 30 \
    -v "$data:/data/db" -v "$CONFIG_DIR/mongod.conf:/etc/mongod.conf:ro" -v "$HOME_DIR/mongo:$HOME_DIR/mongo:ro" \
    "$MONGO_IMAGE" --config /etc/mongod.conf
}

# {hello: 1, $db: "admin"} as OP_MSG, and the header of an answer to it: a process that hangs still takes connections. mongosh takes seconds.
# shellcheck disable=SC2016
answers() {
  local hello='\x34\0\0\0\1\0\0\0\0\0\0\0\xdd\7\0\0\0\0\0\0\0\x1f\0\0\0\x10hello\0\1\0\0\0\2$db\0\6\0\0\0admin\0\0'
  HELLO=$hello timeout 2 bash -c 'exec 3<>/dev/tcp/127.0.0.1/27017 && printf "$HELLO" >&3 && head -c 16 <&3' 2>/dev/null |
    od -An -tx1 | grep -q '01 00 00 00 dd 07 00 00 *$'
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
