# shellcheck shell=bash disable=SC2034,SC2154
# What is particular to a broker: its file, its check, how it is run, whether it answers. Sourced by the node scripts, never run.

readonly ORION_IMAGE=telefonicaiot/fiware-orion
targets=(orion.env "$CONFIG_DIR/orion.env")

# A version without an image is found out while the old one still serves.
check_files() {
  local orion_version
  check_environment orion.env || return 1
  orion_version=$(sed -n 's/^FIWARE_HA_ORION_VERSION=//p' "$staging/orion.env")
  [ "$(runner contextBroker)" != image ] || ensure_image "$ORION_IMAGE:$orion_version"
}

run_process() {
  load_env "$CONFIG_DIR/orion.env"
  # What core/config/orion-sizing.ts worked out; a file of an earlier release says nothing.
  local files=${FIWARE_HA_FILE_DESCRIPTORS:-65536}
  [[ $files =~ ^[0-9]{4,7}$ ]] || fail "$EX_DATAERR" "FIWARE_HA_FILE_DESCRIPTORS: expected 4 to 7 digits; got '$files'"
  ulimit -n "$files" 2>/dev/null || ulimit -n "$(ulimit -Hn)"
  case $(runner contextBroker) in
    override) exec "$HOME_DIR/override/orion" ;;
    binary) exec contextBroker -fg -multiservice -disableFileLog ;;
  esac
  docker rm -f fiware-ha-orion >/dev/null 2>&1 || true
  exec docker run --rm --name fiware-ha-orion --network host --ulimit "nofile=$files:$files" \
    --env-file "$CONFIG_DIR/orion.env" "$ORION_IMAGE:$FIWARE_HA_ORION_VERSION"
}

answers() { curl -fs -o /dev/null --max-time 2 http://127.0.0.1:1026/version; }
