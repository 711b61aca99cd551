# Bare "make" prints what there is. Nothing here fetches anything but Go modules.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

# VERSION is the tag of images; BUILD is what a program prints for --version, with the commit.
VERSION := $(shell cat VERSION)
BUILD ?= $(shell hack/version.sh)
LDFLAGS = -s -w -X github.com/ess-operator/ess-operator/internal/version.Version=$(BUILD)
PROGRAMS := $(patsubst %/main.go,./%,$(wildcard cmd/*/main.go webhook-receiver/main.go))
MODULES := $(dir $(wildcard go.mod hack/*/go.mod hack/*/*/go.mod))

# Modules of our own programs, which are tested and linted as the main one.
SUBMODULES := $(patsubst %/go.mod,%,$(wildcard hack/*/go.mod))

# How long each fuzz target runs, and which targets (a regular expression of go test).
FUZZTIME ?= 10s
FUZZ ?= .
# Packages to test, lint and fuzz; and what else go test should hear, such as ARGS='-run TestRetain'.
PKG ?= ./...
ARGS ?=
# What bench-operator makes; bin/bench-operator --help tells all, and what they are when this is empty.
SIZES ?= -connections 1000 -subscriptions 5 -foreign-secrets 10000 -creates 200 -rotations 40 -resync 20s
# How often crash kills.
ROUNDS ?= 1000
# KEEP=1 leaves the demo running.
KEEP ?=
# Where known vulnerabilities are listed.
VULNDB ?= https://vuln.go.dev
# What images are made of, and for what. GOFIPS140=v1.0.0 gives FIPS images, whose tag ends in -fips.
IMAGES ?=
PLATFORMS ?= linux/amd64,linux/arm64
REPOSITORY ?= ghcr.io/ess-operator
GOFIPS140 ?=
# What builds from Containerfile: podman, buildah or docker.
BUILDER ?= podman
PROGRAM ?= manager
BUILD_ARGS ?=
SOURCE_URL := https://github.com/ess-operator/ess-operator
SOURCE_DATE_EPOCH ?= $(shell hack/version.sh time)
REVISION ?= $(shell hack/version.sh commit)
TAG = $(VERSION)$(if $(GOFIPS140),-fips)
IMAGE_FLAGS = -root . -programs '$(IMAGES)' -platforms '$(PLATFORMS)' -repository '$(REPOSITORY)' -version '$(BUILD)' \
  -tag '$(TAG)' -fips140 '$(GOFIPS140)' -source '$(SOURCE_URL)' -revision '$(REVISION)' -created '$(SOURCE_DATE_EPOCH)'
export FUZZTIME FUZZ ARGS KEEP VULNDB

##@ Use

help: ## Print this.
	@awk -f hack/help.awk $(MAKEFILE_LIST)

build: ## Build every program into bin/.
	go build -ldflags '$(LDFLAGS)' -o bin/ $(PROGRAMS)

demo: build controlplane ## Watch it work on a real control plane; KEEP=1 leaves it running.
	@go build -o bin/demo ./hack/demo
	@bin/demo

trial-keys: ## Write the keys of config/trial, once; docs/install.md says what for.
	@hack/trial-keys.sh

##@ Check

check: verify lint test ## All that must pass before a commit.

test: controlplane ## All tests, on a real control plane, race detector on; PKG=./internal/ess/... for some.
	@hack/test.sh $(PKG)

test-argocd: build controlplane ## What Argo CD makes of our kinds, and the example on a real one; builds it the first time.
	@hack/argocd/build.sh
	@cd argocd && GOWORK=off go mod tidy -diff && GOWORK=off go test -count 1 ./...
	@ARGOCD='$(CURDIR)/bin/argocd' hack/test.sh -count 1 ./test/argocd

test-fips: controlplane ## All tests with Go's FIPS 140-3 module; GOFIPS140=v1.26.0 for another version of it.
	@GOFIPS140='$(or $(GOFIPS140),v1.0.0)' hack/test.sh $(PKG)

vulncheck: ## Look for known vulnerabilities; VULNDB=file:///path for a copy of the database, which is else fetched.
	@hack/tools/build.sh govulncheck
	@hack/vulncheck.sh $(PKG)

lint: ## Lint the Go code, its import table, the API types and the scripts.
	@bash -n .ci/run hack/*.sh hack/*/*.sh
	@hack/tools/build.sh golangci-lint
	@bin/tools/golangci-lint run $(PKG)
	@for m in $(SUBMODULES); do (cd "$$m" && '$(CURDIR)/bin/tools/golangci-lint' run --config '$(CURDIR)/.golangci.yml' ./...); done

verify: ## Fail if generate, fmt or tidy would change anything.
	@hack/tools/build.sh controller-gen golangci-lint helm kustomize
	@hack/verify.sh generate fmt tidy

fuzz: ## Run each fuzz target for FUZZTIME; FUZZ=FuzzDecode for some.
	@hack/fuzz.sh $(PKG)

crash: ## Kill the receiver and its journal under load, ROUNDS times each.
	@SHOW=1 RECEIVER_CRASH_ROUNDS=$(ROUNDS) JOURNAL_CRASH_ROUNDS=$(ROUNDS) hack/test.sh -timeout 3h -count 1 \
	  -run Killed ./test/receiver ./webhook-receiver/internal/journal

e2e: images ## Prove it all on the cluster of KUBECONFIG, ten minutes; E2E_LOAD='kind load image-archive' brings the images there.
	@hack/e2e/run.sh $(ARGS)

##@ Measure

bench-operator: build controlplane ## Measure the operator at full size, ten minutes; SIZES='-connections 200' for less.
	@go build -o bin/bench-operator ./test/bench/operator
	@bin/bench-operator $(SIZES)

bench-receiver: ## Measure the receiver: what TLS, signature and journal cost, at 1 to 256 senders.
	@go build -o bin/bench-receiver ./webhook-receiver/internal/bench
	@bin/bench-receiver

##@ Ship

image-archives: images ## Make images as dist/images/<program>.tar; IMAGES=manager PLATFORMS=linux/amd64 for less, GOFIPS140=v1.0.0 for FIPS.
	@bin/images archives $(IMAGE_FLAGS) -out dist/images

chart: ## Pack the Helm chart as dist/ess-operator-<version>.tgz.
	@hack/tools/build.sh helm
	@SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) bin/tools/helm package --destination dist charts/ess-operator

sbom: images ## List what each program is made of in dist/sbom/<program>.cdx.json.
	@bin/images sbom $(IMAGE_FLAGS) -out dist/sbom

releasable: ## Say what is missing before VERSION can be tagged.
	@hack/releasable.sh

push: ## Push dist/images/*.tar into the registries in their names; give REPOSITORY to image-archives to choose.
	@hack/tools/build.sh crane
	@hack/push.sh dist/images/*.tar

container: ## Build the image of PROGRAM with BUILDER from Containerfile.
	@[ -n '$(SOURCE_DATE_EPOCH)' ] || { echo 'container: without git, give SOURCE_DATE_EPOCH, in seconds since 1970' >&2; exit 2; }
	@$(BUILDER) build -f Containerfile -t '$(REPOSITORY)/$(PROGRAM):$(TAG)' $(BUILD_ARGS) \
	  --build-arg PROGRAM='$(PROGRAM)' --build-arg BUILD='$(BUILD)' --build-arg REVISION='$(REVISION)' --build-arg SOURCE='$(SOURCE_URL)' \
	  --build-arg CREATED="$$(date -u -d '@$(SOURCE_DATE_EPOCH)' +%Y-%m-%dT%H:%M:%SZ)" --build-arg GOFIPS140='$(GOFIPS140)' .

##@ Write

generate: ## Write deepcopy code, CRDs, the role, dist/install.yaml and the Helm chart.
	@hack/generate.sh

fmt: ## Format the Go code.
	@hack/tools/build.sh golangci-lint
	@bin/tools/golangci-lint fmt

tidy: ## Tidy the go.mod of every module.
	@for m in $(MODULES); do (cd "$$m" && GOWORK=off go mod tidy); done

##@ Prepare

controlplane: ## Build etcd and Kubernetes from source; minutes the first time, then nothing.
	@hack/controlplane/build.sh

images: # The program that makes images; no target for people.
	@GOFIPS140= GOOS= GOARCH= GOWORK=off go build -C hack/images -o '$(CURDIR)/bin/images' .

tools: ## Build the pinned tools into bin/tools/.
	@hack/tools/build.sh

clean: ## Remove the programs, but not the control plane and the tools.
	@find bin -maxdepth 1 -type f -delete 2>/dev/null || true

distclean: ## Remove everything that was built.
	rm -rf bin

.PHONY: help build demo trial-keys check test test-argocd test-fips vulncheck lint verify fuzz crash e2e bench-operator bench-receiver image-archives chart sbom releasable push container images generate fmt tidy controlplane tools clean distclean
