.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -euo pipefail -c

# Node starts in half the time with what it compiled before.
export NODE_COMPILE_CACHE ?= $(CURDIR)/node_modules/.cache/node
# Node comes with the development dependencies on Linux x64 and arm64; elsewhere it is the machine's own.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
export REGISTRY ?= ghcr.io/internal-dns
export VERSION ?= v$(shell sed -n 's/^  "version": "\(.*\)",/\1/p' package.json)
export BASE ?= gcr.io/distroless/nodejs24-debian13:nonroot
export BUILD ?= _build
XR ?= examples/minimal.yaml

# With DIGESTS=file a release pins its images.
export DIGESTS

# With RESULTS=file tests are also told there, as JSON.
export RESULTS

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z0-9]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

# npm writes this file when it has installed what package-lock.json names. The output is the target's: `make mirror | sh`.
installed := node_modules/.package-lock.json
$(installed): package-lock.json
	@npm ci --ignore-scripts --no-fund --no-audit --loglevel=error >&2
	@touch $@

# Older ones know no import.meta.main, or warn of every file in TypeScript.
.PHONY: node
node: $(installed)
	@needed=$$(sed -n 's/.*"node": ">=\(.*\)".*/\1/p' package.json) have=$$(node -p process.versions.node); \
	printf '%s\n' "$$needed" "$$have" | sort -CV || \
	  { echo "cannot use Node $$have: $$needed or newer is needed: nvm install" >&2; exit 1; }

.PHONY: run
run: node ## serve XR (examples/minimal.yaml) from a real PowerDNS on 127.0.0.1:1053, with the objects in OBJECTS, until Ctrl-C
	@exec node test/run.ts $(XR)

.PHONY: test
test: node ## everything that needs no cluster; REQUIRE_ALL=1 fails where a test is skipped
	vitest run --config test/vitest.config.ts

.PHONY: render
render: node ## print what Crossplane would apply for XR (a file, or an object as kubectl prints it), with the composed objects in OBSERVED
	@node test/render.ts $(XR) $(OBSERVED)

.PHONY: import
import: node ## print the zone file FILE (- is standard input) of ZONE as it is written in an InternalDNS
	@node functions/import.ts "$(FILE)" "$(ZONE)"

.PHONY: generate
generate: node ## write the XRD and the API reference from functions/internal-dns/spec.ts, and docs/clients.md from functions/connect
	node functions/internal-dns/definition.ts
	node functions/connect/reference.ts

.PHONY: check
check: node ## format, lint, import rules, types, generated files, workflows
	biome check .
	tsc -p .
	vitest run --config test/vitest.config.ts test/internal-dns/definition.test.ts test/connect/reference.test.ts test/arrows.test.ts test/workflows.test.ts
	@if command -v actionlint >/dev/null; then actionlint; fi

.PHONY: golden
golden: node ## write the golden files anew; review their diff
	UPDATE=1 vitest run --config test/vitest.config.ts test/golden

.PHONY: package
package: node ## build both packages, for amd64 and arm64, and install.yaml into _build (REGISTRY, VERSION, BASE, DIGESTS)
	functions/package/build.sh

.PHONY: mirror
mirror: node ## print the script that copies both packages and all images to the registry TO (REGISTRY, VERSION, DIGESTS)
	@node functions/package/mirror.ts "$(TO)"

.PHONY: plugin
plugin: node ## build the kubectl plugin, _build/kubectl-idns (VERSION)
	node functions/bundle.ts --plugin $(BUILD)

.PHONY: krew
krew: plugin ## build what krew installs the plugin from, _build/krew.yaml and an archive
	functions/kubectl-idns/krew.sh

.PHONY: e2e
e2e: node ## prove every capability in the cluster of KUBECONFIG, from the pushed packages (ONLY=zones: that scenario)
	vitest run --config test/e2e/vitest.config.ts $(ONLY:%=/%.test.ts)

.PHONY: bench
bench: node ## measure, each figure beside a baseline of the same run
	node test/bench/main.ts

.PHONY: soak
soak: node ## floods, kills and random histories, bounded to ten minutes (ONLY=kills: that one, SHARE=20: for so many seconds)
	timeout 600 node test/soak/main.ts $(if $(ONLY),$(ONLY) $(SHARE))
