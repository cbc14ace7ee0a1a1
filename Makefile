.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -euo pipefail -c

# Node 24 comes with the development dependencies on Linux x64; elsewhere it is the machine's own.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
export REGISTRY ?= ghcr.io/internal-dns
export VERSION ?= v$(shell sed -n 's/^  "version": "\(.*\)",/\1/p' package.json)
export BASE ?= gcr.io/distroless/nodejs24-debian13:nonroot
export BUILD ?= _build
XR ?= examples/minimal.yaml

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z0-9]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

# npm writes this file when it has installed what package-lock.json names.
installed := node_modules/.package-lock.json
$(installed): package-lock.json
	npm ci --no-fund --no-audit
	@touch $@

.PHONY: package
package: $(installed) ## build both packages into $(BUILD)
	functions/package/build.sh

.PHONY: generate
generate: $(installed) ## write the XRD and the API reference from functions/internal-dns/spec.ts
	node functions/internal-dns/definition.ts >apis/internaldns/definition.yaml
