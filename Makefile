# Second Look. `make help` explains the targets.
.DEFAULT_GOAL := help
.PHONY: help setup demo index test check house faults cases soak bench-page decide-bench evaluate calibrate shipped-calibration reranker lists-reranker ablation clean clean-environment clean-indexes clean-corpora clean-runs clean-models

PYTHON ?= python3
CORPUS ?= sample
PORT ?= 8501
FAISS ?= cpu
TORCH ?= auto
VENV := .venv
RUN := $(VENV)/bin/python
READY := $(VENV)/ready-$(FAISS)
HOME_FOLDER = $(or $(SECOND_LOOK_HOME),data)

# A bundled name is built from its folder, a hub's name from the hub, anything else from the path given.
CORPUS_PATH = $(if $(filter sample,$(CORPUS)),data/sample,$(CORPUS))
LISTS = $(foreach set,msmarco-graded msmarco-graded-2 msmarco-written msmarco-written-2,--data "lists:$(JUDGED)/more/$(set)/lists.jsonl.gz,teacher=$(JUDGED)/more/teacher-late/scores.jsonl.gz")
PROTECT = $(foreach file,trec-dl-2019/queries.tsv msmarco-mini/queries.dev.tsv more/trec-dl-2023/lists.jsonl.gz more/protected-queries.sha256,$(if $(wildcard $(JUDGED)/$(file)),--protect "$(JUDGED)/$(file)"))
TRAIN = test -d data/models/$(1)/1 || $(RUN) -m training train --recipe $(1) --output data/models/$(1)/1 --resume $(PROTECT)
TRAIN_LISTS = test -d data/models/lists-reranker/$(1) || $(RUN) -m training train --recipe distill-list --output data/models/lists-reranker/$(1) --base mean-reranker/1 --resume --precision float32 $(LISTS) $(2) $(PROTECT)
WRITTEN = $(foreach year,21 22,--data judged:dl-20$(year)-passages,queries=data/written/queries.dl$(year).tsv,qrels=data/written/qrels.dl$(year).tsv)
# The CPU build of torch lies on PyTorch's own index; elsewhere on Linux, pip finds the CUDA build.
TORCH_CPU = https://download.pytorch.org/whl/cpu
ANSWERS = import sys, urllib.request; urllib.request.urlopen(sys.argv[1] + "/torch/", timeout=5)
PINNED_TORCH = $(shell sed -n 's/^torch==/torch==/p' constraints.txt)
INDEX = $(subst :,-,$(notdir $(patsubst %/,%,$(CORPUS))))

help: ## Explain each target
	@echo "Second Look: search, re-rank, compare. Targets:"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "  make demo CORPUS=nano-msmarco | msmarco | path/to/folder    other collections (the first two from the hub)"
	@echo "  make demo PORT=8600                                         another port"
	@echo "  make demo HOSTS=search.example.org                          other names that it is reached by, behind a proxy (docs/app.md)"
	@echo "  make demo READ_ONLY=1                                       searching and comparing only, to show it to others"
	@echo "  make demo FAISS=gpu                                         faiss-gpu in place of faiss-cpu (CUDA)"
	@echo "  make setup TORCH=cpu | any                                  PyTorch's CPU build (0.2 GB), or whatever pip finds (on Linux with CUDA, 3 GB);"
	@echo "                                                              by default the CPU build on Linux without an NVIDIA driver"
	@echo "  make clean YES=1                                            remove without asking"

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; this is $$($(PYTHON) --version). Name another: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@echo "[1/3] Installing pinned dependencies into $(VENV) ..."
	@$(PYTHON) -m venv $(VENV) || { echo "No virtual environment could be made; on Debian: apt-get install python3-venv"; exit 1; }
	@$(RUN) -m pip uninstall --yes --quiet faiss-cpu faiss-gpu 2>/dev/null || true
	@build="$(TORCH)"; \
	if [ "$$build" = auto ]; then \
	  if [ "$$(uname -s)" = Linux ] && [ "$(FAISS)" = cpu ] && ! command -v nvidia-smi >/dev/null; then build=cpu; else build=any; fi; \
	fi; \
	if [ "$$build" = any ]; then echo "      torch: the build that pip finds; on Linux that is CUDA's, about 3 GB (TORCH=cpu for 0.2 GB)."; \
	elif [ "$$build" != cpu ]; then echo "TORCH is '$$build'; give auto, cpu or any."; exit 1; \
	elif $(RUN) -c '$(ANSWERS)' $(TORCH_CPU) 2>/dev/null; then \
	  echo "      torch: the CPU build from PyTorch's own index, about 0.2 GB (TORCH=any for CUDA's)."; \
	  $(RUN) -m pip install --disable-pip-version-check --quiet --no-deps --index-url $(TORCH_CPU) $(PINNED_TORCH); \
	else echo "      torch: PyTorch's own index didn't answer within 5 seconds, so the build that pip finds: 0.2 GB, or 3 GB with CUDA."; fi
	@$(RUN) -m pip install --disable-pip-version-check -c constraints.txt -e ".[$(FAISS),dev]"
	@# axe-core's script for the browser tests, without the other browser driver that its package names
	@$(RUN) -m pip install --disable-pip-version-check --quiet --no-deps -c constraints.txt axe-playwright-python
	@rm -f $(VENV)/ready-*
	@touch $@

setup: $(READY) ## Make .venv with the pinned dependencies

index: $(READY) ## Build the index of CORPUS (default: the bundled sample), if it isn't there
	@echo "[2/3] Index of $(CORPUS_PATH) ..."
	@$(RUN) -m indexing build --corpus "$(CORPUS_PATH)" --index "$(INDEX)" --if-absent

demo: index ## Serve the app at http://127.0.0.1:8501
	@echo "[3/3] Second Look is at http://127.0.0.1:$(PORT) in a few seconds. Stop it with Ctrl-C."
	@SECOND_LOOK_INDEX="$(INDEX)" $(RUN) -m streamlit run app/main.py --server.address 127.0.0.1 --server.port $(PORT) \
	  $(foreach host,localhost 127.0.0.1 ::1 $(HOSTS),--server.allowedHosts $(host)) $(if $(READ_ONLY),-- --read-only)

test: $(READY) ## Run every test that needs no GPU and no hub
	@# two workers of one core each; a file's tests stay together, and all in a browser (tests/conftest.py); these come
	@# first, so that no worker waits for the other at the end
	@OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE= $(RUN) -m pytest -n 2 --dist loadfile --no-loadscope-reorder

check: $(READY) ## Formatting, lint and types: ruff format, ruff, mypy --strict
	@$(RUN) -m ruff format --check .
	@$(RUN) -m ruff check .
	@$(RUN) -m mypy

house: $(READY) ## Print how the code is arranged, from its imports: folders, circles, layers, pages, long functions
	@$(RUN) -m tests.support.house

faults: $(READY) ## Run every generated fault and attack, and print how they ended by area; SEED=1 for others
	@$(RUN) -m tests.faults $(if $(SEED),--seed $(SEED))

cases: $(READY) ## Check the inputs of public bug reports in CASES=path, one line each; without CASES, inputs made here
	@$(RUN) -m tests.cases $(if $(CASES),"$(CASES)",--made)

soak: index ## Search with eight searchers beside a training for MINUTES (30): memory and pace must stay as they were
	@$(RUN) -m benchmarks.soak --index "$(INDEX)" --minutes $(or $(MINUTES),30) --json benchmarks/results/soak.json

bench-page: index ## Print how long a user of the app waits: for lists, pages and a promotion (Chromium); ARGS="--no-loop" passes options on
	@$(RUN) -m benchmarks.page --index "$(INDEX)" --json benchmarks/results/page.json $(ARGS)

decide-bench: index ## Print how long deciding whether to re-rank takes, by step, and how it grows with queries and pipelines
	@$(RUN) -m benchmarks.decide --index "$(INDEX)" $(if $(QUERIES),--queries $(QUERIES)) --json benchmarks/results/decide.json

evaluate: index ## Measure each stage on the sample's test split, then say whether to re-rank, decided on dev (BUDGET=10m); TREC=path/to/trec-dl-2019 adds that; ARGS="--depth 50" passes options on
	@$(RUN) -m training evaluate --index "$(INDEX)" $(if $(TREC),--trec "$(TREC)") $(ARGS)
	@echo
	-@$(RUN) -m training decide "$(INDEX)" --if-absent --budget "$(or $(BUDGET),10m)"

calibrate: index ## Fit probabilities for what the index serves on its dev queries, and print how well they hold on its test queries
	@$(RUN) -m training calibrate "$(INDEX)" --check test --serve $(ARGS)

shipped-calibration: $(READY) ## Fit the probabilities that come with the program: of the sample's own default, on its dev queries
	@$(RUN) -m indexing build --corpus data/sample --index sample --if-absent
	@$(RUN) -m training calibrate sample --ship

reranker: $(READY) ## Train the shipped re-ranker anew from JUDGED=path/to/judged/collections into OUTPUT: about four hours on two cores
	@test -n "$(JUDGED)" || { echo "Say where the judged collections are: make reranker JUDGED=path OUTPUT=data/models/mine/1"; exit 1; }
	@$(RUN) -m training prepare --judged "$(JUDGED)"
	@for name in trec-dl-2021 trec-dl-2022 squad qa-sentences msmarco-mini; do $(RUN) -m indexing build --corpus data/corpora/$$name --index $$name --if-absent || exit 1; done
	@for year in 2021 2022; do $(RUN) -m indexing build --corpus "$(JUDGED)/trec-dl-$$year" --index dl-$$year-passages --if-absent || exit 1; done
	@$(RUN) -m indexing build --corpus data/sample --index sample --if-absent
	@$(call TRAIN,third-reranker)
	@$(call TRAIN,judges-reranker)
	@test -d data/models/middle-reranker/1 || $(RUN) -m training average judges-reranker/1 third-reranker/1 --output data/models/middle-reranker/1
	@$(call TRAIN,closing-reranker)
	@test -d data/models/mean-reranker/1 || $(RUN) -m training average judges-reranker/1 closing-reranker/1 --output data/models/mean-reranker/1
	@$(call TRAIN_LISTS,1,--seed 17 --steps 497 --data index:sample)
	@$(call TRAIN_LISTS,2,--seed 18 --steps 344 $(WRITTEN) $(foreach time,1 2 3 4,--data index:sample))
	@test -d data/models/lists-mean-reranker/1 || $(RUN) -m training average mean-reranker/1 lists-reranker/1 lists-reranker/2 --output data/models/lists-mean-reranker/1
	@test -d data/models/kind-reranker/1 || $(RUN) -m training train --recipe lambda --output data/models/kind-reranker/1 --base lists-mean-reranker/1 --resume --precision float32 --seed 21 --batch 8 --epochs 2 --learning-rate 3e-5 --data index:sample $(PROTECT)
	@$(RUN) -m training average lists-mean-reranker/1 kind-reranker/1 --output "$(or $(OUTPUT),data/models/kind-mean-reranker/1)"

lists-reranker: index ## Train what is served on the graded lists of JUDGED=path/to/judged/collections into OUTPUT: 75 minutes on two cores
	@test -n "$(JUDGED)" || { echo "Say where the judged collections are: make lists-reranker JUDGED=path OUTPUT=data/models/mine/1"; exit 1; }
	@$(RUN) -m training train --recipe distill-list --steps 497 --precision float32 $(LISTS) --data index:sample $(PROTECT) --output "$(or $(OUTPUT),data/models/improved-reranker/1)" --resume

ablation: index ## Train and measure what each ingredient of the lists' training gives, from JUDGED=path, a night on two cores; SHOW=1 prints it
	@$(RUN) -m benchmarks.ablation $(if $(SHOW),--show,"$(JUDGED)") $(ARGS)

# $(call REMOVE,what it is,folders): says what would go and how large it is, asks, removes; without a terminal only with YES=1
REMOVE = @for folder in $(2); do \
	  [ -e "$$folder" ] || continue; \
	  echo "$$folder: $(1), $$(du -sh "$$folder" | cut -f1)"; \
	  if [ -z "$(YES)" ]; then \
	    [ -t 0 ] || { echo "  kept; add YES=1 to remove it"; continue; }; \
	    printf "  Remove it? [y/N] "; read -r answer; [ "$$answer" = y ] || { echo "  kept"; continue; }; \
	  fi; \
	  rm -rf "$$folder" && echo "  removed"; \
	done

clean: clean-environment clean-indexes clean-corpora clean-runs ## Remove, asking for each, what can be made again: environment, indexes, corpora, runs

clean-environment: ## Remove .venv, after asking
	$(call REMOVE,the Python environment,$(VENV))

clean-indexes: ## Remove all indexes, after asking
	$(call REMOVE,every index that was built,$(HOME_FOLDER)/indexes)

clean-corpora: ## Remove fetched and uploaded corpora, after asking
	$(call REMOVE,corpora fetched from the hub or uploaded,$(HOME_FOLDER)/corpora)

clean-runs: ## Remove runs, reports and races, after asking
	$(call REMOVE,runs and reports and races,$(HOME_FOLDER)/runs)

clean-models: ## Remove every re-ranker that was trained here, and the trainings, after asking
	$(call REMOVE,re-rankers trained here with their promotions and the trainings,$(HOME_FOLDER)/models $(HOME_FOLDER)/jobs)
