#!/bin/sh
# Unpacks Debian's Prometheus into _build/prometheus. Installing the package would start a service, on ports that may be in use.
set -eu
build=$(cd "$(dirname "$0")/../.." && pwd)/_build
[ -d "$build/prometheus" ] && exit
# Under sudo, the folder must belong to the user.
[ -d "$build" ] || install -d -o "${SUDO_UID:-$(id -u)}" -g "${SUDO_GID:-$(id -g)}" "$build"

new=$build/prometheus.new
rm -rf "$new"
mkdir "$new"
cd "$new"
# A new machine has no package lists.
apt-get -qq -o APT::Sandbox::User=root download prometheus 2>/dev/null || {
  apt-get update -qq
  apt-get -qq -o APT::Sandbox::User=root download prometheus
}
dpkg-deb -x prometheus_*.deb .
rm prometheus_*.deb
mv "$new" "$build/prometheus" # atomic: the folder is never incomplete
