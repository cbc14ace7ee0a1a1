#!/usr/bin/env bash
# Builds both packages without a Docker daemon. `make package` says where to ($BUILD), under which names ($REGISTRY, $VERSION)
# and on which image ($BASE).
set -euo pipefail
: "${BUILD:?}" "${REGISTRY:?}" "${VERSION:?}" "${BASE:?}"
cd "$(dirname "$0")/../.."

fail() { echo "make package: cannot $*" >&2; exit 1; }
command -v crane >/dev/null || fail "layer the image: crane is not on the PATH (https://github.com/google/go-containerregistry)"
command -v crossplane >/dev/null || fail "build packages: crossplane is not on the PATH (https://github.com/crossplane/cli)"
[[ $VERSION =~ ^v[0-9]+\.[0-9]+\.[0-9]+$ ]] || fail "use VERSION $VERSION: it must be vX.Y.Z, as \">=v0.1.0\" excludes prereleases"

stage=$BUILD/stage
rm -rf "$stage" && mkdir -p "$stage"

# The Function: two files on top of the base image. Fixed times, owners and modes: the same sources make the same layer.
# Compressed here, because crane would prefer speed to size.
node functions/bundle.ts "$stage/app"
tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX -C "$stage" -c app | gzip -9n >"$stage/layer.tar.gz"
crane mutate "$BASE" --append "$stage/layer.tar.gz" --entrypoint /nodejs/bin/node,/app/main.cjs --exposed-ports 9443,8080 \
  --tag "$REGISTRY/cdk8s-function-xp:$VERSION" --output "$stage/image.tar"
crossplane xpkg build --package-root=functions/package --examples-root="$stage/none" \
  --embed-runtime-image-tarball="$stage/image.tar" --package-file="$BUILD/cdk8s-function-xp.xpkg"

# The Configuration, staged: `xpkg build` takes every YAML file below its root.
mkdir "$stage/configuration"
sed "s|ghcr.io/internal-dns/|$REGISTRY/|" crossplane.yaml >"$stage/configuration/crossplane.yaml"
cp -r apis "$stage/configuration/"
crossplane xpkg build --package-root="$stage/configuration" --examples-root=examples --package-file="$BUILD/internal-dns-xp.xpkg"

rm -rf "$stage"
