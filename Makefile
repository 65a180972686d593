PYTHON ?= python3
RUN := .venv/bin
STAMP := .venv/installed
TRAINING ?= $(or $(VOUCH_CACHE),$(HOME)/.cache/vouch)/training

.DEFAULT_GOAL := help
.PHONY: help install demo odoo odoo-stop browser check format test test-unit test-vllm fuzz hostile bench crash soak faults interleavings upheavals mass reliability eval train lock clean

help: ## Show the recipes
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

install: $(STAMP) ## Make .venv with the locked libraries and the command vouch

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: apt-get install python3, or make PYTHON=python3.12"; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' || { echo "Python's venv is missing: apt-get install python3-venv"; exit 2; }
	$(PYTHON) -m venv .venv
	$(RUN)/pip install --quiet --require-hashes --no-deps -r requirements.lock
	$(RUN)/pip install --quiet --no-deps --editable .
	@touch $@

demo: install ## Fill sample bills in a real local Odoo and stay up (ARGS=--once ends after the round)
	$(RUN)/python -m deploy.demo $(ARGS)

odoo: install ## Start the real Odoo for development, installing it on first use
	$(RUN)/python -m deploy.odoo start

odoo-stop: ## Stop the development Odoo and its PostgreSQL
	$(RUN)/python -m deploy.odoo stop

browser: ## Install Chromium, which the tests of the screens need
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null; } || { echo "Chromium is missing: sudo apt-get install chromium"; exit 2; }

check: install ## Lint, format and types
	$(RUN)/ruff check
	$(RUN)/ruff format --check
	$(RUN)/pyright

format: install ## Format the code and mend what ruff can
	$(RUN)/ruff check --fix
	$(RUN)/ruff format

test: install browser ## All tests: units, a real Odoo on both protocols, a real browser
	@[ -n "$$VOUCH_TEST_ODOO_URL$$VOUCH_TEST_ODOO" ] || $(RUN)/python -m deploy.odoo start
	$(RUN)/pytest -n 2 --dist loadgroup

test-unit: install ## The quick tests, without Odoo and browser
	$(RUN)/pytest tests/unit

test-vllm: install ## The tests of the model reader against a real vLLM on this CPU (600 MB to fetch on first use)
	$(RUN)/pytest tests/unit/test_vlm_answers.py tests/unit/test_vlm_learning.py tests/unit/test_vlm_merge.py tests/unit/test_vllm_serving.py tests/integration/test_vision_reader.py tests/integration/test_vision_decisions.py tests/integration/test_model_desk.py tests/integration/test_model_pipeline.py tests/integration/test_vllm_serve.py tests/integration/test_vllm_client.py tests/integration/test_benches.py tests/acceptance/test_model_round.py

fuzz: install ## Read damaged files for MINUTES (15): nothing but a named error may come out
	VOUCH_TEST_FUZZ_SECONDS=$$(( $(or $(MINUTES),15) * 60 )) $(RUN)/pytest tests/unit/test_fuzz.py -s

crash: install ## Kill the service at hundreds of points on a real Odoo and look what was lost: 1 where anything was (ARGS=--every, --share 10, --seed N)
	$(RUN)/python -m tests.acceptance.crash $(ARGS)

soak: install ## A day of work in a short time on a real Odoo: 1 where memory, files, threads or ledger grow (ARGS="--documents 300 --minutes 20")
	$(RUN)/python -m tests.bench.soak $(ARGS)

hostile: install ## Read every document and model answer that is made to do harm, and print what became of them
	$(RUN)/python -m tests.bench.hostile

bench: install ## Print the speed of reading and of the model client, how well and fast is matched, and the speed of talking to Odoo
	$(RUN)/python -m tests.bench

eval: install ## Read DIR's documents with truth and hold the figures against the targets (ARGS=--only pages)
	@[ -n "$(DIR)" ] || { echo "Name a folder of documents with truth: make eval DIR=path (docs/eval.md shows the forms)"; exit 2; }
	$(RUN)/python -m tests.bench.evaluate "$(DIR)" $(ARGS)

faults: install ## Every fault of network, proxies, Odoo, model server, disk, ledger and clock, on a real Odoo (hours; ARGS=words to choose)
	$(RUN)/python -m tests.acceptance.faults $(ARGS)
	[ -n "$(ARGS)" ] || VOUCH_TEST_FULL=1 $(RUN)/pytest tests/acceptance/test_living_faults.py

interleavings: install ## 1,000 edits by people between the RPCs of the service, on a real Odoo (about half an hour; ARGS="COUNT SEED bare")
	$(RUN)/python -m tests.acceptance.interleavings $(ARGS)

upheavals: install ## Odoo and its PostgreSQL restarted, killed and updated while bills are filled and approved (ARGS="TIMES words to choose")
	$(RUN)/python -m tests.acceptance.upheavals $(ARGS)

mass: install ## 100,000 attachments at once in a real Odoo and a burst of uploads: what Odoo is asked, memory, pages (ARGS=--attachments 2000)
	$(RUN)/python -m tests.bench.mass $(ARGS)

reliability: crash faults interleavings upheavals hostile mass soak ## Everything that is tried to break it, whole (hours; make -k goes on after a loss)

train: install ## Fit the scorer anew on DIR's documents with truth, their scans and generated ones (kept in TRAINING)
	@[ -n "$(DIR)" ] || { echo "Name a folder of documents with truth: make train DIR=path (docs/eval.md shows the forms)"; exit 2; }
	$(RUN)/python -m tests.samples.labelled "$(TRAINING)/made"
	$(RUN)/python -m tests.bench.degraded "$(DIR)" "$(TRAINING)/scans"
	$(RUN)/python -m inference.training "$(DIR)" "$(TRAINING)/scans" "$(TRAINING)/made" --words "$(TRAINING)/words" --write $(ARGS)

lock: install ## Renew requirements.lock, and what the image is built of
	$(RUN)/pip install --quiet uv
	$(RUN)/uv pip compile --universal --generate-hashes --no-header --group dev pyproject.toml -o requirements.lock
	$(RUN)/uv pip compile --universal --generate-hashes --no-header --no-annotate -c requirements.lock --group image pyproject.toml -o deploy/vouch/image.lock
	$(RUN)/uv pip compile --universal --generate-hashes --no-header --no-annotate --group build -o deploy/vouch/build.lock

clean: ## Remove the virtual environment and caches of the clone
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis
