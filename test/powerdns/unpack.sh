#!/bin/sh
# Unpacks PowerDNS from Debian sid into _build/pdns, with everything that it needs; needs root and takes seconds. The machine's own
# suite may have an older one, and the project runs on 5.1.
set -eu
build=$(dirname "$0")/../../_build
[ -d "$build/pdns" ] && exit
# Whoever has the tree goes on writing there.
[ -d "$build" ] || install -d -o "${SUDO_UID:-$(id -u)}" -g "${SUDO_GID:-$(id -g)}" "$build"

mirror() { apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | head -1; }

# A fresh machine has no package lists, so it knows no mirror.
[ -n "$(mirror)" ] || apt-get update -qq
command -v mmdebstrap >/dev/null || {
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends mmdebstrap
} >/dev/null

new=$build/pdns.new
rm -rf "$new"
mmdebstrap --quiet --variant=extract --architectures="$(dpkg --print-architecture)" \
  --aptopt='Acquire::Check-Valid-Until "false"' --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
  --include=pdns-server,pdns-backend-sqlite3,sqlite3 sid "$new" "$(mirror)"
mv "$new" "$build/pdns" # at once: who sees the folder sees all of it
