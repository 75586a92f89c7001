# Two commands matter: `make run` (everything from nothing, then a sign-in link) and `make test`.
# What is installed, and why, is said by scripts/setup; how the page is built, by scripts/wasm and scripts/site.mjs.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
export PATH := $(CURDIR)/.tools/bin:$(HOME)/.cargo/bin:$(PATH)

# Not inside this checkout: an agent that looks for its repository upwards would find ours.
DATA ?= $(or $(XDG_DATA_HOME),$(HOME)/.local/share)/sandbox
RELEASE := target/release/sandbox
serve = serve --data-dir $(DATA) --print-link

.DEFAULT_GOAL := help
.PHONY: help run build test bench dev dev-build wasm fmt lint setup clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## everything from nothing; prints a sign-in link. Data stays in ~/.local/share/sandbox (DATA=elsewhere)
	@echo "[4/4] Sandbox starts. Its data is in $(DATA); stop it with Ctrl-C, the sessions go on."
	@exec $(RELEASE) $(serve)

build: ## the release server, its host and the page
	@echo "[1/4] Tools (a few minutes the first time)"
	@scripts/setup
	@$(MAKE) --no-print-directory wasm
	@echo "[3/4] The server and the terminal host (six to ten minutes the first time)"
	@cargo build --release -p server -p host

wasm: ## the page for the browser: WebAssembly, styles, the terminal's bundle; prints what they weigh
	@echo "[2/4] The page: WebAssembly, styles, the terminal's bundle (two to three minutes the first time)"
	@scripts/wasm release
	@node scripts/site.mjs release

test: ## lints, unit and contract tests, the terminal's proofs, browser journeys; prints what took how long
	@scripts/test

bench: ## measures beside ttyd in the same run and writes BENCHMARKS.md
	@scripts/setup bench
	@$(MAKE) --no-print-directory wasm
	@cargo build --release -p server -p host
	@node end2end/bench/main.mjs

dev-build: ## the same in the quick, unoptimised flavour
	@scripts/setup
	@scripts/wasm dev
	@node scripts/site.mjs dev
	@cargo build -p server -p host

dev: dev-build ## builds again and restarts on every change; terminals live through it
	@node scripts/dev.mjs $(serve)

fmt: ## formats all Rust
	@cargo fmt --all

lint: ## formatting, clippy on both sides, licences and advisories where cargo-deny is there
	@scripts/test lint

setup: ## installs what building and testing need
	@scripts/setup test

clean: ## forgets everything built (not the data)
	@rm -rf target node_modules end2end/node_modules .tools
