# Lazuli. `make` alone lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

IMAGE ?= server
TARGET_DIR := $(or $(CARGO_TARGET_DIR),target)
LAZULI := $(TARGET_DIR)/release/lazuli

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## Install what is missing of scripts/packages.txt
	@scripts/setup

.PHONY: build
build: setup ## Build the programs (release)
	cargo build --release --locked --bins

.PHONY: image
image: build ## Build an image: make image IMAGE=server
	$(LAZULI) image build $(IMAGE) --update-vanished

.PHONY: run
run: image ## Build the server image and boot it to a login (CHECK=1: prove the login prompt, then power off)
	$(LAZULI) image boot $(IMAGE) $(if $(CHECK),--check)

.PHONY: build-all
build-all: build ## Build all components that have a spec from source (takes an hour; what is in the cache is taken)
	$(LAZULI) build --all --keep-going --timings

.PHONY: test
test: lint image ## Everything that CI runs: lints, unit tests, tests of the whole system
	cargo test --release --locked --workspace --exclude lazuli
	cargo test --release --locked -p lazuli -- --test-threads=1

.PHONY: lint
lint: setup ## Formatting and lints
	cargo fmt --check
	cargo clippy --release --locked --workspace --all-targets -- -D warnings

.PHONY: fuzz
fuzz: setup ## Throw random bytes at the parsers, FUZZ_SECONDS=60 at each of TARGETS="deb rpm primary catalog spec text"
	scripts/fuzz $(TARGETS)

.PHONY: deny
deny: ## Check the dependencies (needs cargo-deny; without a network: CHECKS="licenses bans sources")
	@cargo deny --version >/dev/null 2>&1 || { \
	  echo "deny: no cargo-deny here; get it with: cargo install --locked cargo-deny" >&2; exit 1; }
	cargo deny --locked --all-features check $(CHECKS)

.PHONY: docs
docs: setup ## Write what is generated and checked in anew: man pages, JSON schemas
	UPDATE_EXPECT=1 cargo test --release --locked -q -p lazuli --test help
	UPDATE_EXPECT=1 cargo test --release --locked -q -p lazuli-catalog --test json_schema

.PHONY: bench
bench: build ## Measure image builds beside mkosi (needs root and some minutes), and large projects beside rpmspec
	bench/image
	bench/catalog

.PHONY: clean
clean: ## Remove out/ (the cache stays)
	rm -rf out
