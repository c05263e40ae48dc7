# shellcheck shell=bash disable=SC2034,SC2154
# What holds for any role of the catalogue (lambdas/core/catalogue): its files, their check, how it is run, whether it answers.
# Knows no role by name: service.env says which image runs, on which ports, what it reads and keeps. Sourced, never run.

targets=(service.conf "$CONFIG_DIR/service.conf" service.env "$CONFIG_DIR/service.env")

# Absolute, and no part of it leads upwards or is hidden.
readonly PATH_FORM='(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+'
readonly PORT_FORM='[1-9][0-9]{1,4}'

# setting NAME FILE: one of ours, empty where it is not set.
setting() { sed -n "s/^FIWARE_HA_$1=//p" "$2"; }

# expect NAME PATTERN WORDS [optional]: a value reaches docker only in the form it should have.
expect() {
  local value
  value=$(setting "$1" "$staging/service.env")
  if [[ $value =~ ^($2)$ ]] || { [ -z "$value" ] && [ "${4:-}" = optional ]; }; then return 0; fi
  echo "service.env: FIWARE_HA_$1: expected $3; got '$value'" && return 1
}

check_settings() {
  local known='IMAGE|PORTS|CONF_PATH|KEEPS|CONFIG_VERSION' odd port
  odd=$(cut -d= -f1 "$staging/service.env" | sort | uniq -d | head -n 1)
  [ -z "$odd" ] || { echo "service.env: expected each key once; got $odd twice"; return 1; }
  odd=$(grep '^FIWARE_HA_' "$staging/service.env" | grep -vE "^FIWARE_HA_($known)=" | head -n 1 || true)
  [ -z "$odd" ] || { echo "service.env: expected settings $known; got $odd"; return 1; }
  expect IMAGE '[a-z0-9][a-z0-9._/-]{0,200}:[A-Za-z0-9_][A-Za-z0-9._-]{0,127}' 'an image as repository:tag' || return 1
  expect PORTS "$PORT_FORM(,$PORT_FORM)*" 'ports with commas between them' || return 1
  for port in $(setting PORTS "$staging/service.env" | tr , ' '); do
    [ "$port" -le 65535 ] || { echo "service.env: FIWARE_HA_PORTS: expected ports up to 65535; got $port"; return 1; }
  done
  expect CONF_PATH "$PATH_FORM" 'an absolute path' optional || return 1
  expect KEEPS "$PATH_FORM(,$PATH_FORM)*" 'absolute folders with commas between them' optional || return 1
  expect CONFIG_VERSION '[0-9a-f]{4,32}' '4 to 32 hex digits'
}

# A version without an image is found out while the old one still serves.
check_files() {
  check_environment service.env && check_settings || return 1
  [ "$(runner)" != image ] || ensure_image "$(setting IMAGE "$staging/service.env")"
}

run_process() {
  local env=$CONFIG_DIR/service.env conf=$CONFIG_DIR/service.conf path folder args=()
  if [ "$(runner)" = override ]; then
    load_env "$env"
    FIWARE_HA_CONF_FILE=$conf exec "$HOME_DIR/override/$role"
  fi
  path=$(setting CONF_PATH "$env")
  [ -z "$path" ] || args+=(-v "$conf:$path:ro")
  # Whatever user an image runs as may write there, and nobody on the node but root gets that far.
  install -d -m 0700 "$STATE_DIR/keeps"
  for folder in $(setting KEEPS "$env" | tr , ' '); do
    mkdir -p "$STATE_DIR/keeps$folder"
    chmod 0777 "$STATE_DIR/keeps$folder"
    args+=(-v "$STATE_DIR/keeps$folder:$folder")
  done
  docker rm -f "fiware-ha-$role" >/dev/null 2>&1 || true
  exec docker run --rm --name "fiware-ha-$role" --network host --ulimit nofile=65536:65536 --stop-timeout 30 \
    --env-file "$env" "${args[@]}" "$(setting IMAGE "$env")"
}

# Any status is an answer.
answers() {
  local port
  port=$(setting PORTS "$CONFIG_DIR/service.env")
  curl -s -o /dev/null --max-time 2 "http://127.0.0.1:${port%%,*}/"
}
