SHELL := /bin/bash
VENV := .venv
PYTHON := $(VENV)/bin/python
BASE_PYTHON ?= $(shell for p in python3.11 python3 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null && { echo "$$p"; break; }; done)
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help install run loop test test-slow test-manifests monitoring test-monitoring definitions test-cluster lint ci bench bench-long compile images lock test-containers clean

help: ## list what can be made
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

install: $(STAMP) ## create .venv from the pinned versions (the other targets do it when needed)

# torch comes first and by pip, which knows of CPU builds where the machine offers them; the rest is
# exactly what constraints.txt lists, and needs no solver.
$(STAMP): pyproject.toml constraints.txt
	@test -n "$(BASE_PYTHON)" || { echo "Python 3.11 is needed and was not found (set BASE_PYTHON)"; exit 2; }
	$(BASE_PYTHON) -m venv --clear $(VENV)
	$(PYTHON) -m pip install --quiet --disable-pip-version-check -c constraints.txt torch uv
	$(VENV)/bin/uv pip install --quiet --python $(PYTHON) --no-deps -r constraints.txt
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

run: $(STAMP) ## run the whole pipeline on the built-in data (five minutes at most on two cores)
	$(VENV)/bin/minorkey run --overwrite --trials 32

loop: $(STAMP) ## play serve, watch, alert, retune and swap (Debian: prometheus, prometheus-alertmanager)
	$(VENV)/bin/minorkey loop

ELSEWHERE := not container and not browser and not cluster and not monitoring

test: $(STAMP) ## run the tests (no root, no network)
	OMP_NUM_THREADS=1 $(VENV)/bin/pytest -n 2 --dist loadfile -m '$(ELSEWHERE) and not slow' --ignore=tests/manifests

test-slow: $(STAMP) ## run the tests that take minutes: whole runs, killed, repeated, adjusted, on services alone
	OMP_NUM_THREADS=1 $(VENV)/bin/pytest -n 2 --dist loadfile -m '$(ELSEWHERE) and slow'

test-manifests: $(STAMP) ## test manifests/ (make definitions brings Argo CD's, by npm)
	OMP_NUM_THREADS=1 $(VENV)/bin/pytest -n 2 --dist loadfile -m '$(ELSEWHERE) and not slow' tests/manifests

lint: $(STAMP) ## check style, types and layers
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy -p minorkey
	$(VENV)/bin/lint-imports
	$(VENV)/bin/hadolint images/*/Dockerfile

monitoring: $(STAMP) ## write what Prometheus, Alertmanager and Grafana read, below monitoring/, anew
	$(PYTHON) -m minorkey.drift.rules monitoring
	$(PYTHON) -m minorkey.drift.dashboard monitoring

test-monitoring: $(STAMP) ## test it with promtool, amtool and Alertmanager (Debian: prometheus, prometheus-alertmanager)
	OMP_NUM_THREADS=1 $(VENV)/bin/pytest -n 2 tests/monitoring

definitions: ## install Argo CD's definitions, against which the manifest tests look (Node.js, npm)
	npm ci --prefix tests/manifests/definitions --ignore-scripts --no-audit --no-fund --loglevel=error

test-cluster: $(STAMP) ## test the kubeconfig's cluster: IMAGE=, STUDY_ROOT= or NODE_FOLDER=; DRY_RUN=1 lists
	OMP_NUM_THREADS=1 $(VENV)/bin/pytest -m cluster -vv -rs --timeout=1800 tests/cluster $(if $(DRY_RUN),--dry-run) \
		$(if $(IMAGE),--image='$(IMAGE)') $(if $(STUDY_ROOT),--study-root='$(STUDY_ROOT)') \
		$(if $(NODE_FOLDER),--node-folder='$(NODE_FOLDER)') $(if $(KUBE_CONTEXT),--kube-context='$(KUBE_CONTEXT)') \
		$(if $(SLOTS),--slots='$(SLOTS)') $(if $(TRIALS),--trials='$(TRIALS)') $(CLUSTER_OPTIONS)

ci: ## everything that CI does, in containers too (root, Debian)
	bash .ci/run

bench: $(STAMP) ## measure what the README claims in a short form (about two hours)
	$(PYTHON) -m benchmarks

bench-long: $(STAMP) ## the long benchmarks (about eight hours)
	$(PYTHON) -m benchmarks --long

compile: $(STAMP) ## write pipelines/compiled/ and docs/reference/ anew
	$(VENV)/bin/minorkey compile
	$(VENV)/bin/minorkey compile --cluster specs/cluster/example.yaml --out pipelines/compiled/example-cluster
	$(PYTHON) docs/reference/generate.py

images: ## build the images (VARIANT=cuda, CONTAINER_TOOL=docker; RELEASE=1 wants BASE=NAME@sha256:...)
	images/build

lock: $(STAMP) ## write images/locks/ anew (WHEELS=FOLDER where PyTorch's index cannot be reached)
	$(PYTHON) images/lock.py $(if $(WHEELS),--wheels $(WHEELS))

test-containers: $(STAMP) ## base, images and the tests in containers (root, Debian)
	bash .ci/packages
	bash .ci/images
	$(VENV)/bin/pytest -m container

clean: ## remove what tools made, but no runs and no models
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis *.egg-info
