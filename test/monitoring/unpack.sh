#!/bin/sh
# Unpacks Debian's Prometheus into _build/prometheus. Not installed: the package would start a service, on ports that may be taken.
set -eu
build=$(cd "$(dirname "$0")/../.." && pwd)/_build
[ -d "$build/prometheus" ] && exit
# Whoever has the tree goes on writing there.
[ -d "$build" ] || install -d -o "${SUDO_UID:-$(id -u)}" -g "${SUDO_GID:-$(id -g)}" "$build"

new=$build/prometheus.new
rm -rf "$new"
mkdir "$new"
cd "$new"
# A fresh machine has no package lists.
apt-get -qq -o APT::Sandbox::User=root download prometheus 2>/dev/null || {
  apt-get update -qq
  apt-get -qq -o APT::Sandbox::User=root download prometheus
}
dpkg-deb -x prometheus_*.deb .
rm prometheus_*.deb
mv "$new" "$build/prometheus" # at once: who sees the folder sees all of it
