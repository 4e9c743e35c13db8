# Everything here is plain go: the targets only save typing. `make` lists them.
.DEFAULT_GOAL := help
.PHONY: help build test lint fuzz bench bench-peers bench-drafts soak golden ci

FUZZTIME ?= 10m
BENCH ?= .
BENCHTIME ?= 100ms
COUNT ?= 1
PACKAGES ?= ./...

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

build: ## glmc, without cgo
	CGO_ENABLED=0 go build -o glmc ./cmd/glmc

test: ## all tests
	go test $(PACKAGES)

lint: ## gofmt, go vet, staticcheck, import directions
	bash .ci/run format vet static imports

fuzz: ## every fuzz test for FUZZTIME (10m) each; FUZZ='pattern' picks some
	FUZZTIME=$(FUZZTIME) FUZZ='$(FUZZ)' bash .ci/fuzz.sh

bench: ## benchmarks in benchstat's format; BENCH='pattern' PACKAGES=./kernels/cpu picks some, COUNT=10 repeats
	go test -run '^$$' -bench '$(BENCH)' -benchtime $(BENCHTIME) -count $(COUNT) -benchmem -p 1 $(PACKAGES)

bench-peers: build ## tokens/s beside llama.cpp's, as Markdown; PEERS='flags' changes what is measured (bench/peers)
	go run ./bench/peers -glmc ./glmc $(PEERS)

bench-drafts: ## suffix trees beside ArcticInference's; DRAFTS='-arctic FOLDER -dataset FILE' says where it and the sessions are (bench/drafts)
	go run ./bench/drafts $(DRAFTS)

soak: build ## overloads a server for half an hour, and finds out what was lost; SOAK='-duration 5m' changes that (bench/soak)
	go run ./bench/soak -glmc ./glmc $(SOAK)

golden: ## writes the expected outputs of golden tests again (tests with an -update flag)
	bash .ci/golden.sh

ci: ## what every change has to pass
	bash .ci/run
