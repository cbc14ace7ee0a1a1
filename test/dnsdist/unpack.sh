#!/bin/sh
# Unpacks dnsdist from Debian sid into _build/dnsdist; takes seconds. The machine's own suite has an older one, and the project
# runs on 2.1.
. "$(dirname "$0")/../unpack-debian.sh"
unpack dnsdist sid dnsdist,openssl,ca-certificates
finish
