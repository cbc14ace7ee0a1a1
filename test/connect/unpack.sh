#!/bin/sh
# Unpacks resolvers of Debian stable into _build/resolvers; takes a minute. Installed, they would start services on port 53, and
# change the machine's own DNS.
. "$(dirname "$0")/../unpack-debian.sh"
unpack resolvers stable unbound,dnsmasq-base,bind9,knot-resolver,systemd-resolved
# The packages' scripts, which would create the users, have not run.
printf '%s\n' root:x:0:0::/root:/bin/sh systemd-resolve:x:998:998::/:/usr/sbin/nologin >"$new/etc/passwd"
printf '%s\n' root:x:0: systemd-resolve:x:998: >"$new/etc/group"
finish
