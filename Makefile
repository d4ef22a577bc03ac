# Two commands do everything: "make run" and "make test". The other targets
# are what a change needs on its way; "make help" lists them.

TIMEOUT  ?= 25m
FUZZTIME ?= 20s
BENCH    ?= .
PKG      ?= ./...
ADDR     ?=
FLAGS    ?=
OPS      ?= 100000
FAULTS   ?= 1000
LOADS    ?= 1000000
CORES    ?= 20
CHAINS   ?= 100000000
SAMPLES  ?= 1000000
SUBJECTS ?=
ANSWERS  ?= 1000000
MONEYTIME ?= 20000x
KILLS    ?= 1000
CUTS     ?= 200
CARDS    ?= 100000
ORDERS   ?= 10000
# Without a C compiler the tests run without the race detector.
RACE     ?= $(if $(filter 1,$(shell go env CGO_ENABLED)),-race)

# The scripts of both programs start them by the hundred, and every start costs a
# key derivation that the race detector makes ten times as dear. What they start
# is raced in its own packages.
PLAIN := pbochsm/cmd/pbochsm pbochsm/cmd/onecard

GOLANGCI := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

.DEFAULT_GOAL := help
.PHONY: help run demo test build lint fuzz bench benchmarks lanes-long vectors-openssl token-long token-chains token-faults token-memory \
	token-cores hostile-long money-bench ledger-kill ledger-power ledger-disk ledger-cut ledger-orders ledger-cards ledger-bench dudect generate vectors setup clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## start everything: daemon with published test keys on 127.0.0.1:1500, API on 127.0.0.1:8080
	bin/onecard dev

demo: build ## top up a simulated card and print every step; needs nothing that runs
	bin/onecard demo

test: setup ## install what the tests need, then vet and test PKG, each package within TIMEOUT
	go vet $(PKG)
	go test $(RACE) -timeout $(TIMEOUT) $(filter-out $(PLAIN),$(shell go list $(PKG)))
	$(if $(filter $(PLAIN),$(shell go list $(PKG))),go test -timeout $(TIMEOUT) $(filter $(PLAIN),$(shell go list $(PKG))))

build: ## compile the programs into bin/
	go build -trimpath -o bin/ ./cmd/...

lint: ## run the linters of .golangci.yml
	go run $(GOLANGCI) run --allow-parallel-runners

fuzz: ## run every fuzz target for FUZZTIME each
	.ci/fuzz $(FUZZTIME)

bench: build ## measure every row of docs/performance.md beside its yardstick; minutes
	.ci/bench $(FLAGS)

benchmarks: ## run the Go benchmarks of PKG that match BENCH
	go test -run '^$$' -bench '$(BENCH)' -benchmem $(PKG)

lanes-long: ## hold CHAINS random chains of each cipher on every core against the reference; an hour
	go test -run '^Test(SM4)?AgreesWithReference$$' -timeout 0 -v ./mac/lanes -lanes.chains $(CHAINS)

vectors-openssl: ## recompute every vector with openssl; minutes
	REQUIRE_OPENSSL=1 go test -run '^TestOpenSSLAgrees$$' -timeout 0 -v ./vectors -vectors.openssl

token-long: setup ## have OPS random operations answered over TCP from each token and by the software
	go test -run '^TestTokenOverTCP$$' -timeout 0 -v ./cmd/pbochsm -token.ops $(OPS)

token-chains: setup ## hold OPS random chains in each token against the reference
	go test -run '^TestAgreesWithReference$$' -timeout 0 -v ./pkcs11 -pkcs11.chains $(OPS)

token-faults: setup ## inject FAULTS random faults between the backend and SoftHSM
	go test -run '^TestRandomFaults$$' -timeout 0 -v ./pkcs11 -pkcs11.faults $(FAULTS)

token-memory: setup ## watch the memory over LOADS transactions in SoftHSM
	go test -run '^TestMemoryStaysFlat$$' -timeout 0 -v ./pkcs11 -pkcs11.transactions $(LOADS)

token-cores: setup ## look for keys in CORES core dumps of a process that computes in SoftHSM
	go test -run '^TestCoreDump$$' -timeout 0 -v ./pkcs11 -pkcs11.cores $(CORES)

money-bench: ## the money endpoint against what the disk and PostgreSQL can do, as ratios
	go test -run '^$$' -bench Money -benchtime $(MONEYTIME) -timeout 0 ./cmd/onecard

hostile-long: ## let a hostile caller look for keys and unearned MACs in ANSWERS answers
	go test -run '^TestHostileCaller$$' -timeout 0 -v ./protocol -hostile.answers $(ANSWERS)

dudect: ## ask SAMPLES measurements of each core, or of SUBJECTS, whether its time depends on secrets
	go run ./mac/lanes/dudect -samples $(SAMPLES) -only '$(SUBJECTS)'

LEDGER := go test -timeout 0 -v ./cmd/onecard/internal/ledger -run
RECHARGE := go test -timeout 0 -v ./cmd/onecard/internal/recharge -run

ledger-kill: ## kill the ledger's process KILLS times at random moments, on both databases
	$(LEDGER) '^TestKill$$' -ledger.kills $(KILLS)

ledger-power: ## cut the power in CUTS images of a recorded run of the ledger
	$(LEDGER) '^TestPowerCut$$' -ledger.powercuts $(CUTS)

ledger-disk: ## let the disk refuse from each of FAULTS calls of a run of the ledger on
	$(LEDGER) '^TestDisk$$' -ledger.faults $(FAULTS)

ledger-cut: ## make ORDERS sales over connections to PostgreSQL that break at random bytes
	$(LEDGER) '^TestCut$$' -ledger.cuts $(ORDERS)

ledger-orders: ## send each of ORDERS orders from 64 clients at once
	$(RECHARGE) '^TestCrowd$$' -recharge.orders $(ORDERS)

ledger-cards: ## let CARDS hostile cards try for free money
	$(RECHARGE) '^TestFreeMoney$$' -recharge.adversaries $(CARDS)

ledger-bench: ## compare the ledger with the raw rate of the disk, and with pgbench
	go test -run '^$$' -bench . -benchtime 100000x ./cmd/onecard/internal/ledger

generate: ## rewrite the generated files
	go generate ./...

vectors: build ## run the conformance vectors on this build, or on the daemon at ADDR
	bin/pbochsm vectors run $(if $(ADDR),--addr $(ADDR),--local)

setup: ## install what the tests need and this machine lacks
	.ci/setup

clean: ## remove what the other targets made
	rm -rf bin dist *.test *.prof *.out
