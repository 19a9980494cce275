# `make` lists the targets; every one of them sets up what it needs.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
DEV := build/venv/dev/bin/python

# Ansible refuses to run without a UTF-8 locale, and a minimal Debian sets none.
export LC_ALL := C.UTF-8
export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/build/collections

.PHONY: help setup setup-demo demo test lint types units conformance sanity docs-lint integration lab-test bench docs try-minimal lock release release-check clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: ## system packages, Python environments and collection path for everything below (quick when all is there)
	@$(PYTHON) -m tools.set_up test

setup-demo:
	@$(PYTHON) -m tools.set_up demo

demo: setup-demo ## watch one revoked certificate being rotated on real parts; no root needed
	@build/venv/demo/bin/python demo/run.py

test: setup ## all gates and tests; what can't run here is named and counted as skipped
	@$(DEV) -m tests.gates.run

lint types units conformance sanity docs-lint integration lab-test release-check: setup
	@$(DEV) -m tests.gates.run $@

lint: ## ruff and ansible-lint
types: ## mypy
units: ## unit tests, on each ansible-core that this machine has a Python for
conformance: ## revocation verdicts against vectors (NIST's, ours), faults, properties and a second opinion
sanity: ## ansible-test sanity
docs-lint: ## antsibull-docs and antsibull-changelog, and the documentation site is built
integration: ## tests against real servers on loopback
lab-test: ## the lab and the molecule scenarios in it (root)

bench: setup ## measure against the goals; writes build/bench.json
	@$(DEV) tests/bench/run.py

docs: setup ## the documentation site, into build/docs/index.html; no network
	@$(DEV) -m tools.documentation

try-minimal: setup ## the last commit on a new minimal Debian: make setup, and TRY="demo test" if given (root)
	@tests/minimal/try.sh $(TRY)

lock: setup ## write the lock files in requirements/ anew
	@tools/lock.sh

release: setup ## changelog and artifact of a version, proven; VERSION=x.y.z or that of galaxy.yml; CONTRIBUTING.md tells how
	@$(DEV) -m tools.release $(if $(VERSION),--version $(VERSION))

release-check: ## what `make release` would do with the work tree as it is; changes nothing

clean: ## remove everything that was made
	rm -rf build .mypy_cache .pytest_cache .ruff_cache
