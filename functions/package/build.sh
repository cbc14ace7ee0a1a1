#!/usr/bin/env bash
# Builds both packages and the install manifest without a Docker daemon. `make package` says where to ($BUILD), under which
# names ($REGISTRY, $VERSION) and on which image ($BASE). A release also names a file with digests ($DIGESTS).
set -euo pipefail
cd "$(dirname "$0")/../.."

fail() { echo "make package: cannot $*" >&2; exit 1; }
for name in BUILD REGISTRY VERSION BASE; do
  [[ ${!name:-} ]] || fail "build packages: $name is empty: leave it out for the default"
done
command -v crane >/dev/null || fail "layer the image: crane is not on the PATH (https://github.com/google/go-containerregistry)"
command -v crossplane >/dev/null || fail "build packages: crossplane is not on the PATH (https://github.com/crossplane/cli)"

if [[ ${DIGESTS:-} ]]; then
  BASE=$(node functions/package/digests.ts "$BASE")
fi

stage=$BUILD/stage
rm -rf "$stage" && mkdir -p "$stage"
node functions/package/manifests.ts "$stage"

# crane takes an image that is for one platform only as it is, whatever platform is asked for.
for arch in amd64 arm64; do
  both="use an index of linux/amd64 and linux/arm64, such as gcr.io/distroless/nodejs24-debian13:nonroot"
  if ! config=$(crane config --platform "linux/$arch" "$BASE" 2>"$stage/error"); then
    reason=$(tail -n 1 "$stage/error")
    [[ $reason != *"no child with platform"* ]] || fail "use BASE $BASE: it has no image for linux/$arch: $both"
    fail "pull BASE $BASE for linux/$arch: ${reason#Error: }: check the name, the network and \`crane auth login\`"
  fi
  read -r platform entrypoint < <(node -p 'const { os, architecture, config } = JSON.parse(fs.readFileSync(0, "utf8"));
    [`${os}/${architecture}`, ...(config.Entrypoint ?? [])].join(" ")' <<<"$config")
  [[ $platform == "linux/$arch" ]] || fail "use BASE $BASE for linux/$arch: it is an image for $platform: $both"
  [[ $entrypoint == /nodejs/bin/node ]] ||
    fail "use BASE $BASE: its entry point is \"$entrypoint\" instead of /nodejs/bin/node: $both"
done

# The Function: two files on top of the base image. Fixed times, owners and modes: the same sources make the same layer.
# Compressed here, because crane would prefer speed to size. The layer is the same for both architectures.
node functions/bundle.ts "$stage/app"
tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX -C "$stage" -c app | gzip -9n >"$stage/layer.tar.gz"
for arch in amd64 arm64; do
  # `crossplane composition render` replaces the image's command by `--insecure`, and keeps the entry point.
  crane mutate --platform "linux/$arch" "$BASE" --append "$stage/layer.tar.gz" \
    --entrypoint /nodejs/bin/node,/app/main.cjs --exposed-ports 9443,8080 \
    --tag "$REGISTRY/cdk8s-function-xp:$VERSION" --output "$stage/image.tar"
  crossplane xpkg build --package-root=functions/package --examples-root="$stage/none" \
    --embed-runtime-image-tarball="$stage/image.tar" --package-file="$stage/$arch.xpkg"
done
# Of the examples, those of the resource: the others are no use of the package's API.
mkdir "$stage/examples"
grep -lx 'kind: InternalDNS' examples/*.yaml | xargs cp -t "$stage/examples"
crossplane xpkg build --package-root="$stage/configuration" --examples-root="$stage/examples" --package-file="$stage/configuration.xpkg"

mv "$stage/amd64.xpkg" "$BUILD/cdk8s-function-xp.xpkg"
mv "$stage/arm64.xpkg" "$BUILD/cdk8s-function-xp-arm64.xpkg"
mv "$stage/configuration.xpkg" "$BUILD/internal-dns-xp.xpkg"
mv "$stage/install.yaml" "$BUILD/install.yaml"
rm -rf "$stage"
