#!/bin/sh
# Unpacks PowerDNS from Debian sid into _build/pdns; takes seconds. The machine's own suite may have an older one, and the
# project runs on 5.1.
. "$(dirname "$0")/../unpack-debian.sh"
unpack pdns sid pdns-server,pdns-backend-sqlite3,sqlite3
finish
