# shellcheck shell=bash disable=SC2034,SC2154
# What is particular to a balancer: its files, their check, its two processes, whether they answer. Sourced by the node scripts, never run.

targets=(haproxy.cfg "$ROOT/etc/haproxy/haproxy.cfg" keepalived.conf "$ROOT/etc/keepalived/keepalived.conf")

check_files() {
  # The name of the interface is known on the node alone.
  local interface
  interface=$(ip -o route show default 2>/dev/null | awk '{print $5; exit}')
  sed -i "s/@INTERFACE@/${interface:-eth0}/" "$staging/keepalived.conf"
  haproxy -c -f "$staging/haproxy.cfg" && keepalived -t -f "$staging/keepalived.conf"
}

# A keepalived that was stopped hears nothing: it does not count.
answers() {
  curl -fs -o /dev/null --max-time 1 http://127.0.0.1:8404/fiware-ha/health && pgrep -r D,R,S -x keepalived >/dev/null
}

# Whether a program runs; hung counts, a zombie does not.
runs() { pgrep -r D,R,S,T,t -x "$1" >/dev/null; }

# HAProxy's master gives its sockets to the next worker: no connection is refused meanwhile.
reload_haproxy() {
  # One that hangs is not asked; the reload then says what is wrong.
  if runs haproxy; then python3 "$HOME_DIR/bin/let_go_servers.py" "$ROOT/etc/haproxy/haproxy.cfg" 2>/dev/null || true; fi
  if has_systemd; then systemctl reload-or-restart haproxy
  elif runs haproxy; then kill -USR2 "$(cat /run/haproxy.pid)"
  else service haproxy start; fi
}

# A hung process does not hear a polite signal.
restart_haproxy() {
  if has_systemd; then
    systemctl kill --signal KILL haproxy || true
    systemctl reset-failed haproxy || true
    systemctl restart haproxy
  else
    pkill -KILL -x haproxy || true
    service haproxy start
  fi
}
