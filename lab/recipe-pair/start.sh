#!/bin/sh
# First process of a recipe balancer: start.sh starts both services, start.sh reload takes a new list of brokers. Repairs nothing.
# The slides' lines stand below Debian's own file, whose global and defaults sections (timeouts) stay as the distribution ships them.
cat /etc/haproxy/haproxy.cfg.debian /recipe/haproxy.cfg >/etc/haproxy/haproxy.cfg
cp /recipe/keepalived.conf /etc/keepalived/keepalived.conf
if [ "$1" = reload ]; then exec service haproxy reload; fi

# What a killed container left behind.
rm -rf /run/haproxy.pid /run/keepalived.pid /run/keepalived /run/vrrp.pid /run/checkers.pid
service haproxy start
service keepalived start
while :; do
  sleep 3600 &
  wait
done
