#!/bin/sh
# Unpacks Debian's Prometheus into the folder $1. Not installed: the package would start a service, on ports that may be taken.
set -eu
[ -d "$1" ] && exit

new=$1.new
rm -rf "$new"
mkdir -p "$new"
cd "$new"
# A fresh machine has no package lists.
apt-get -qq -o APT::Sandbox::User=root download prometheus 2>/dev/null || {
  apt-get update -qq
  apt-get -qq -o APT::Sandbox::User=root download prometheus
}
dpkg-deb -x prometheus_*.deb .
rm prometheus_*.deb
mv "$new" "$1" # at once: who sees the folder sees all of it
