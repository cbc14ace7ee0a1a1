#!/usr/bin/env bash
# Builds the archive and the manifest that krew installs the plugin from, of $BUILD/kubectl-idns into $BUILD. `make krew`
# says which version it is ($VERSION).
set -euo pipefail
: "${BUILD:?}" "${VERSION:?}"
cd "$(dirname "$0")/../.."

fail() { echo "make krew: cannot $*" >&2; exit 1; }
[[ $VERSION =~ ^v[0-9]+\.[0-9]+\.[0-9]+ ]] || fail "use VERSION $VERSION: it must be vX.Y.Z, as krew requires"
[[ -f $BUILD/kubectl-idns ]] || fail "find $BUILD/kubectl-idns: make plugin builds it"

files=(-C "$BUILD" kubectl-idns)
# krew copies the license, too.
[[ ! -f LICENSE ]] || files+=(-C "$PWD" LICENSE)
# Fixed times, owners and modes: the same sources make the same archive.
tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX -c "${files[@]}" |
  gzip -9n >"$BUILD/kubectl-idns.tar.gz"
read -r sum _ < <(sha256sum "$BUILD/kubectl-idns.tar.gz")
sed -e '/^#/d' -e "s/VERSION/$VERSION/" -e "s/SHA256/$sum/" functions/kubectl-idns/krew.yaml >"$BUILD/krew.yaml"
