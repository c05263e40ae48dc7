/** What every haproxy.cfg of ours begins its pools with, on nodes and in recipes. Text; knows no pool. */

/** HTTP mode: times, and a request that failed to connect goes to another server. Whoever renders it says when a request is repeated. */
export const HTTP_DEFAULTS = `defaults
  mode http
  log global
  option httplog
  option dontlognull
  option http-keep-alive
  timeout connect 1s
  timeout client 60s
  timeout server 30s
  timeout http-request 10s
  timeout http-keep-alive 10s
  timeout queue 5s
  timeout check 2s
  retries 3
  option redispatch 1
`;

/** Who may ask the admin port at all: itself and private addresses. */
export const ADMIN_CLIENTS = '127.0.0.0/8 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 100.64.0.0/10';
