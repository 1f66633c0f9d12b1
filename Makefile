# `make` lists the targets. Variables that may be given: ARGS (demo), TAGS (nocv,
# noturbo), CGO_ENABLED=0, FUZZTIME, BENCH, PREFIX, DESTDIR, VERSION, GO.

GO       ?= go
TAGS     ?=
ARGS     ?=
FUZZTIME ?= 20s
BENCH    ?= .
PREFIX   ?= /usr/local
DESTDIR  ?=
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

export GO TAGS

BINARY  := bin/framegram
LDFLAGS := -X github.com/framegram/framegram/command.version=$(VERSION)
SOURCES := go.mod go.sum main.go $(shell find . \( -name .git -o -name bin -o -name testdata \) -prune -o -type f -path './*/*' ! -name '*_test.go' -print)

.DEFAULT_GOAL := help
.PHONY: help setup setup-test build demo test test-long lint fuzz bench install clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install the missing packages that build and demo need
	@scripts/setup.sh build

setup-test: ## install the missing packages that the tests need
	@scripts/setup.sh test

build: setup ## build bin/framegram
	@$(GO) build -buildvcs=false -tags '$(TAGS)' -ldflags '$(LDFLAGS)' -o $(BINARY) .

demo: build ## send and watch live video on this machine: make demo ARGS="--duration 10s"
	@exec $(BINARY) demo $(ARGS)

test: setup-test ## all tests but the long ones, as CI runs them
	@scripts/test.sh

test-long: setup-test ## the tests many times over, at length, then the fuzz targets
	@scripts/test.sh long
	@scripts/fuzz.sh $(FUZZTIME)

lint: setup ## gofmt, go vet of every build flavour, staticcheck
	@scripts/lint.sh

fuzz: setup ## run every fuzz target for FUZZTIME (20s) each
	@scripts/fuzz.sh $(FUZZTIME)

bench: setup ## run the Go benchmarks: make bench BENCH=Decode
	@$(GO) test -tags '$(TAGS)' -run '^$$' -bench '$(BENCH)' -benchmem ./...

# A file target: `sudo make install` after `make build` needs no Go for root.
$(BINARY): $(SOURCES)
	@$(MAKE) --no-print-directory build

install: $(BINARY) ## install to DESTDIR/PREFIX/bin (PREFIX=/usr/local)
	install -d '$(DESTDIR)$(PREFIX)/bin'
	install -m 755 $(BINARY) '$(DESTDIR)$(PREFIX)/bin/framegram'

clean: ## remove what build made
	@rm -rf bin
