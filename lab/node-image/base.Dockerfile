# What a node's install script would fetch on an instance, baked in, so that a lab node boots in a second.
ARG BASE=debian:bookworm
FROM ${BASE}
USER root
ENV DEBIAN_FRONTEND=noninteractive
RUN apt-get update \
 && apt-get install -y --no-install-recommends \
      ca-certificates curl haproxy iproute2 iptables keepalived procps python3 \
 && rm -rf /var/lib/apt/lists/*
COPY node /usr/local/bin/node
COPY mongosh /opt/mongosh
RUN ln -sf /opt/mongosh/node_modules/.bin/mongosh /usr/local/bin/mongosh \
 && node --version && mongosh --version
