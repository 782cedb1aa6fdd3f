# hydraulics: `make help` lists what there is.
GO ?= go
BIN := bin/hydraulics
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X github.com/axiom-data-science/hydraulics/runtime/cli.Commit=$(VERSION)
GOFILES = $(shell git ls-files '*.go')
SERVERS ?= .cache/servers
PYTHON ?=
# What runs programs for arm64 where that is not the processor.
EMULATOR ?= $(if $(filter arm64 aarch64,$(shell uname -m)),,qemu-aarch64-static)
ARM64TEST = GOARCH=arm64 CGO_ENABLED=0 $(GO) test -timeout 60m $(if $(EMULATOR),-exec '$(EMULATOR)')
ROUNDS ?= 3
LANES ?=
FAULTS_ROUNDS ?= 5
SOAK ?= 20m
ONNX_NETS ?= $(CURDIR)/.cache/onnx-nets
# go test shows what fails and ends with the skipped tests, by reason.
TEST := $(GO) run ./internal/test/report -timeout 30m

DIR ?=

.PHONY: help build demo custom-source check fmt lint test stress cover vuln mutations arm64 integration faults integration-serving bench bench-connect bench-cluster bench-many bench-data agreement demo-model docs page screenshots release clean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## /{printf "  %-20s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build bin/hydraulics
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/hydraulics

demo: build ## run the whole flow on embedded servers, with a simulated instrument
	$(BIN) demo

custom-source: ## copy the example of a worker of your own into a new folder: DIR=...
	@test -n '$(DIR)' || { echo 'make custom-source: where to? DIR=$$HOME/my-worker' >&2; exit 1; }
	@test ! -e '$(DIR)/go.mod' || { echo 'make custom-source: $(DIR) holds a module already' >&2; exit 1; }
	mkdir -p '$(DIR)'
	cp -R examples/custom-source/. '$(DIR)'
	cd '$(DIR)' && $(GO) mod edit -replace 'github.com/axiom-data-science/hydraulics=$(CURDIR)'

check: fmt lint ## format, vet, lint and the quick tests: under 5 minutes
	$(TEST) -short ./...

fmt: ## fail when a file is not formatted
	@test -z "$$(gofmt -l $(GOFILES) | tee /dev/stderr)"

lint: ## vet and staticcheck
	$(GO) vet ./...
	$(GO) vet -tags integration ./...
	GOARCH=arm64 $(GO) vet ./internal/infer/onnx
	$(GO) tool staticcheck ./...

test: fmt lint ## everything that needs no network and no real servers
	cd examples/custom-source && $(GO) vet ./... && $(GO) test ./...
	$(TEST) ./... -- -timeout 30m -race -short ./...

stress: ## the tests with clocks or processes 50 times (RUNS=) beside what takes the processor from them (needs stress-ng)
	./.ci/stress.sh $(RUNS)

cover: ## the statements that tests reach in a plain clone; connector, runtime and runtime/herder have a floor of 90 %
	./.ci/cover.sh

vuln: ## known vulnerabilities in what is called (needs https://vuln.go.dev, or a copy that GOVULNDB names)
	./.ci/vuln.sh

mutations: ## make each mistake of internal/test/mutations in turn: its test must fail (2 minutes)
	$(GO) test -tags mutations -count=1 -timeout 60m -run TestMutationsAreCaught ./internal/test/mutations

arm64: ## vet and test for arm64, emulated on other processors, the engine, image analysis and preprocessing (3 minutes)
	@test -z '$(EMULATOR)' || command -v $(firstword $(EMULATOR)) >/dev/null || \
		{ echo 'make arm64: $(firstword $(EMULATOR)) is not here, which runs programs for arm64: apt install qemu-user-static, or name another emulator by EMULATOR=' >&2; exit 1; }
	GOARCH=arm64 $(GO) vet ./internal/infer/onnx ./internal/plankton/imaging ./internal/infer/model
	$(ARM64TEST) ./internal/infer/onnx
	$(ARM64TEST) -short ./internal/plankton/imaging
	$(ARM64TEST) -run '^Test(Preprocess|Nearest|Scale|Normalised|Thin|Resize|Rows)' ./internal/infer/model

integration: build ## the same against Apache Kafka, a schema registry and PostgreSQL, which it starts
	SERVERS=$(SERVERS) ./.ci/integration.sh

# FAULTS_ROUNDS is how often each fault happens, SOAK how long they then do at random; HYDRAULICS_FAULTS_SEED repeats a run.
faults: build ## all that may happen to a cluster, and to a sink's database: 5 times each, a cluster's then 20 minutes at random (50 minutes)
	SERVERS=$(SERVERS) ROUNDS=$(FAULTS_ROUNDS) SOAK=$(SOAK) ./.ci/faults.sh

integration-serving: ## each protocol and a new version on real model servers, and the rate beside Python's (installs 2.4 GB; 5 minutes)
	./.ci/serving.sh

# PYTHON is a Python with numpy and scipy for the image analysis and with keras, tf2onnx and onnxruntime for the engine;
# without it both are timed alone. Where that Python has openvino, the engine is timed beside it too. ORIGINALS is a folder with checkouts of the image analysis's originals, without which
# the ratio to them is left out: internal/test/bench/RESULTS.md.
bench: ## rates and shares of the flow; with PYTHON=... image analysis and ONNX engine beside Python's
	$(if $(PYTHON),$(PYTHON) internal/test/bench/nets.py $(ONNX_NETS))
	PYTHON='$(PYTHON)' ONNX_NETS='$(ONNX_NETS)' $(GO) test -run '^$$' -bench . -skip 'Imaging|BenchmarkData' -benchtime 2s -timeout 30m ./internal/test/bench/...
	ORIGINALS='$(ORIGINALS)' PYTHON='$(PYTHON)' $(GO) test -run '^$$' -bench Imaging -benchtime 5x -timeout 2h -v ./internal/test/bench/...

bench-connect: build ## lanes beside Java's Kafka Connect on a real broker, which it starts (30 minutes; ROUNDS=3, LANES= a regular expression)
	SERVERS=$(SERVERS) ./.ci/bench-connect.sh -rounds $(ROUNDS) -lanes '$(LANES)'

bench-cluster: build ## three workers beside one, a cluster beside Java's, and 1,000 tasks at three workers (20 minutes; ROUNDS=3, LANES=)
	SERVERS=$(SERVERS) ./.ci/bench-connect.sh -clusters -rounds $(ROUNDS) -lanes '$(LANES)'

bench-many: build ## what many idle connectors take of a worker: memory, processor, descriptors, the list of them (20 minutes; LANES=)
	$(GO) run ./internal/test/bench/connect -many -lanes '$(LANES)'

# DATA_ROWS and DATA_ROUNDS say how much is measured, LANES which lanes of the database, a regular expression.
DATA_ROWS ?= 500000
DATA_ROUNDS ?= 3
bench-data: build ## the sinks beside PostgreSQL's own COPY and INSERT, a bare HTTP client, and Java's JDBC sink (needs PostgreSQL; 25 minutes)
	DATA_ROWS=$(DATA_ROWS) DATA_ROUNDS=$(DATA_ROUNDS) DATA_LANES='$(LANES)' $(GO) test -run '^$$' -bench '^BenchmarkData(REST)?$$' -benchtime 1x -timeout 2h ./internal/test/bench/...
	SERVERS=$(SERVERS) ./.ci/bench-connect.sh -data -rows $(DATA_ROWS) -rounds $(DATA_ROUNDS) -lanes '$(LANES)'

agreement: ## compare every kind of network with ONNX Runtime (needs Python; an hour, with qemu 3; 8 GB in .cache)
	./internal/infer/onnx/testdata/agreement.sh .cache/agreement internal/infer/onnx/AGREEMENT.md

demo-model: build ## train the model of the demo anew (needs Python; about 5 minutes)
	./examples/train-classifier/demo-model.sh $(BIN) configs/demo

docs: ## write the documents anew that are made from the program: pages of plugins, the REST API
	$(GO) test ./internal/test/reference -run TestPages -update

page: ## bundle the page anew into runtime/page/static (needs the npm registry)
	.ci/page.sh

screenshots: build ## take the documents' pictures of the demo anew, into docs/pictures (needs chromium; 3 minutes)
	mkdir -p docs/pictures
	HYDRAULICS_BINARY='$(CURDIR)/$(BIN)' HYDRAULICS_PICTURES='$(CURDIR)/docs/pictures' $(GO) test -count=1 -timeout 30m -tags integration -run '^TestPictures$$' ./internal/test/integration

release: ## static tarballs for linux and darwin, amd64 and arm64, in dist/
	@mkdir -p dist
	@for os in linux darwin; do for arch in amd64 arm64; do \
		name=hydraulics-$(VERSION)-$$os-$$arch; mkdir -p dist/$$name; \
		GOOS=$$os GOARCH=$$arch CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o dist/$$name/hydraulics ./cmd/hydraulics || exit 1; \
		cp README.md LICENSE dist/$$name/; tar -C dist -czf dist/$$name.tar.gz $$name && rm -r dist/$$name; echo dist/$$name.tar.gz; \
	done; done

clean: ## remove what was built and the integration servers' data
	rm -rf bin dist .cache
