# For scripts in folders of test/: `unpack NAME SUITE PACKAGE,...` unpacks packages of Debian, with everything that they need,
# into "$new"; needs root. Ends the script if _build/NAME exists. `finish` makes it that folder.
set -eu

mirror() { apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | head -1; }

unpack() {
  build=$(cd "$(dirname "$0")/../.." && pwd)/_build
  [ ! -d "$build/$1" ] || exit 0
  # Under sudo, the folder must belong to the user.
  [ -d "$build" ] || install -d -o "${SUDO_UID:-$(id -u)}" -g "${SUDO_GID:-$(id -g)}" "$build"
  # A fresh machine has no package lists, so it knows no mirror.
  [ -n "$(mirror)" ] || apt-get update -qq
  command -v mmdebstrap >/dev/null || {
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends mmdebstrap
  } >/dev/null
  new=$build/$1.new
  rm -rf "$new"
  mmdebstrap --quiet --variant=extract --architectures="$(dpkg --print-architecture)" \
    --aptopt='Acquire::Check-Valid-Until "false"' --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
    --include="$3" "$2" "$new" "$(mirror)"
}

finish() { mv "$new" "${new%.new}"; } # at once: who sees the folder sees all of it
