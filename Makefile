# Second Look. `make help` explains the targets.
.DEFAULT_GOAL := help
.PHONY: help setup demo index test check evaluate reranker clean

PYTHON ?= python3
CORPUS ?= sample
PORT ?= 8501
FAISS ?= cpu
VENV := .venv
RUN := $(VENV)/bin/python
READY := $(VENV)/ready-$(FAISS)

# A bundled name is built from its folder, a hub's name from the hub, anything else from the path given.
CORPUS_PATH = $(if $(filter sample,$(CORPUS)),data/sample,$(CORPUS))
PROTECT = $(foreach file,trec-dl-2019/queries.tsv msmarco-mini/queries.dev.tsv,$(if $(wildcard $(JUDGED)/$(file)),--protect "$(JUDGED)/$(file)"))
TRAIN = test -d data/models/$(1)/1 || $(RUN) -m training train --recipe $(1) --output data/models/$(1)/1 --resume $(PROTECT)
INDEX = $(subst :,-,$(notdir $(patsubst %/,%,$(CORPUS))))

help: ## Explain each target
	@echo "Second Look: search, re-rank, compare. Targets:"
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "  make demo CORPUS=nano-msmarco | msmarco | path/to/folder    other collections (the first two from the hub)"
	@echo "  make demo PORT=8600                                         another port"
	@echo "  make demo READ_ONLY=1                                       searching and comparing only, to show it to others"
	@echo "  make demo FAISS=gpu                                         faiss-gpu in place of faiss-cpu (CUDA)"

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; this is $$($(PYTHON) --version). Name another: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@echo "[1/3] Installing pinned dependencies into $(VENV) ..."
	@$(PYTHON) -m venv $(VENV) || { echo "No virtual environment could be made; on Debian: apt-get install python3-venv"; exit 1; }
	@$(RUN) -m pip uninstall --yes --quiet faiss-cpu faiss-gpu 2>/dev/null || true
	@$(RUN) -m pip install --disable-pip-version-check -c constraints.txt -e ".[$(FAISS),dev]"
	@rm -f $(VENV)/ready-*
	@touch $@

setup: $(READY) ## Make .venv with the pinned dependencies

index: $(READY) ## Build the index of CORPUS (default: the bundled sample), if it isn't there
	@echo "[2/3] Index of $(CORPUS_PATH) ..."
	@$(RUN) -m indexing build --corpus "$(CORPUS_PATH)" --name "$(INDEX)" --if-absent

demo: index ## Serve the app at http://127.0.0.1:8501
	@echo "[3/3] Second Look is at http://127.0.0.1:$(PORT) in a few seconds. Stop it with Ctrl-C."
	@SECOND_LOOK_INDEX="$(INDEX)" $(RUN) -m streamlit run app/main.py --server.address 127.0.0.1 --server.port $(PORT) $(if $(READ_ONLY),-- --read-only)

test: $(READY) ## Run every test that needs no GPU and no hub
	@# two workers of one core each; a file's tests stay together, as they share what is slow to make; those in a browser come
	@# first, so that no worker waits for the other at the end
	@OMP_NUM_THREADS=1 $(RUN) -m pytest -n 2 --dist loadfile --no-loadscope-reorder

check: $(READY) ## Formatting, lint and types: ruff format, ruff, mypy --strict
	@$(RUN) -m ruff format --check .
	@$(RUN) -m ruff check .
	@$(RUN) -m mypy

evaluate: index ## Measure each stage on the sample's test split; TREC=path/to/trec-dl-2019 adds that
	@$(RUN) -m training evaluate --index "$(INDEX)" $(if $(TREC),--trec "$(TREC)")

reranker: $(READY) ## Train the shipped re-ranker anew from JUDGED=path/to/judged/collections into OUTPUT
	@test -n "$(JUDGED)" || { echo "Say where the judged collections are: make reranker JUDGED=path OUTPUT=data/models/mine/1"; exit 1; }
	@$(RUN) -m training prepare --judged "$(JUDGED)"
	@for name in trec-dl-2021 trec-dl-2022 squad qa-sentences msmarco-mini; do $(RUN) -m indexing build --corpus data/corpora/$$name --name $$name --if-absent || exit 1; done
	@$(RUN) -m indexing build --corpus data/sample --name sample --if-absent
	@$(call TRAIN,third-reranker)
	@$(call TRAIN,judges-reranker)
	@test -d data/models/middle-reranker/1 || $(RUN) -m training average judges-reranker/1 third-reranker/1 --output data/models/middle-reranker/1
	@$(call TRAIN,closing-reranker)
	@$(RUN) -m training average judges-reranker/1 closing-reranker/1 --output "$(or $(OUTPUT),data/models/mean-reranker/1)"

clean: ## Remove .venv and everything built; data/sample and data/reranker stay
	rm -rf $(VENV) data/corpora data/indexes data/runs
