# Everything from a checkout. Each target installs what a fresh Debian 12 with a Rust toolchain lacks.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
CARGO ?= cargo
ONCE ?=
KILLS ?= 20
CRM ?= amocrm
SEED ?= 1
SHORT ?=

.PHONY: demo torture torture-sabotage honest-at-the-limit test bench test-asterisk test-browser test-api deb deb-twice test-vm check lint clean prerequisites

# Starts the simulators and the daemon under ./var, plays a working day, shows what became of it.
# ONCE=1: ends by itself; exit status 0 only if every expected effect is there, once.
demo: prerequisites
	$(CARGO) build --locked --bins
	exec "$${CARGO_TARGET_DIR:-target}"/debug/trunkline-lab demo $(if $(ONCE),--once,) --dir ./var \
	  --daemon "$${CARGO_TARGET_DIR:-target}"/debug/trunkline

# Kills the daemon KILLS times under load, with every fault on; the last line is one JSON object,
# exit status 0 only if nothing is lost, twice, out of order or too fast. docs/torture.md.
# CRM=bitrix24, CRM=planfix, CRM=alfacrm: against that simulator instead of the simulated amoCRM
# account.
torture: prerequisites
	$(CARGO) build --locked --bins
	exec "$${CARGO_TARGET_DIR:-target}"/debug/trunkline-lab torture --crm $(CRM) --kills $(KILLS) \
	  --seed $(SEED) --dir ./var/torture --daemon "$${CARGO_TARGET_DIR:-target}"/debug/trunkline

# What the torture must notice: a build of the daemon breaks one promise at a time. One JSON object
# for each; exit status 0 only if each was noticed, and if the honest daemon at the limit is clean.
SABOTAGES := no_look_after_ambiguous acknowledge_before_commit lane_ignored limiter_plus_one spent_token_reused call_time_now

torture-sabotage: prerequisites
	$(CARGO) build --locked --bins
	$(CARGO) build --locked --features sabotage --bin trunkline-sabotaged
	mkdir -p var
	$(MAKE) --no-print-directory --keep-going --jobs 3 honest-at-the-limit $(SABOTAGES:%=sabotage-%)

# At the vendor's limit of requests, which takes its time: fewer kills.
sabotage-%: KILLS := 5
sabotage-limiter_plus_one honest-at-the-limit: KILLS := 2
sabotage-%:
	@$(call torture_quietly,$*,--daemon "$$debug"/trunkline-sabotaged --sabotage $*)
honest-at-the-limit:
	@$(call torture_quietly,at-the-limit,--daemon "$$debug"/trunkline --at-the-limit)

# Shows the last line, or everything if it is not well.
torture_quietly = debug="$${CARGO_TARGET_DIR:-target}"/debug; \
	"$$debug"/trunkline-lab torture --kills $(KILLS) --seed $(SEED) --dir ./var/torture-$1 $2 \
	  >./var/torture-$1.out 2>&1 && tail -n 1 ./var/torture-$1.out || { cat ./var/torture-$1.out; exit 1; }

# Every check that CI runs.
test: prerequisites lint
	packaging/prerequisites.sh test
	$(CARGO) test --locked
	$(MAKE) --no-print-directory torture KILLS=5
	$(MAKE) --no-print-directory torture KILLS=3 CRM=bitrix24
	$(MAKE) --no-print-directory torture KILLS=3 CRM=planfix
	$(MAKE) --no-print-directory torture KILLS=3 CRM=alfacrm
	$(MAKE) --no-print-directory torture-sabotage
	$(MAKE) --no-print-directory demo ONCE=1
	$(MAKE) --no-print-directory test-api SHORT=1

lint: prerequisites
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	if $(CARGO) deny --version >/dev/null 2>&1; then $(CARGO) deny check; fi

# Prints the benchmark table and writes var/bench.json.
bench: prerequisites
	packaging/prerequisites.sh bench
	$(CARGO) bench --locked --bench peers

# Places calls on a real Asterisk over SIP; the last line is one JSON object.
test-asterisk: prerequisites
	$(CARGO) build --locked --bins
	python3 tests/asterisk/run.py --bin "$${CARGO_TARGET_DIR:-target}"/debug

# Walks through the admin pages with a headless Chromium; the last line is one JSON object.
test-browser: prerequisites
	packaging/prerequisites.sh browser
	$(CARGO) build --locked --bins
	/usr/bin/python3 tests/browser/run.py --bin "$${CARGO_TARGET_DIR:-target}"/debug $(if $(PICTURES),--pictures $(PICTURES),)

# Asks every operation of the API good and bad questions, by schemathesis, and holds the answers
# against docs/openapi.json; the last line is one JSON object. SEED: which are drawn. SHORT=1: only
# those that are planned.
test-api: prerequisites
	packaging/prerequisites.sh api
	$(CARGO) build --locked --bins
	python3 tests/api/run.py --bin "$${CARGO_TARGET_DIR:-target}"/debug --seed $(SEED) $(if $(SHORT),--short,)

# Builds the Debian packages into dist/. DEB_BUILD_OPTIONS=noopt: sooner and many times as large, to
# try the packaging.
deb: prerequisites
	packaging/prerequisites.sh deb
	rm -rf dist
	mkdir dist
	dpkg-buildpackage --build=binary --no-sign --post-clean \
	  --buildinfo-file=dist/trunkline.buildinfo --buildinfo-option=-udist \
	  --changes-file=dist/trunkline.changes --changes-option=-udist
	lintian --fail-on error,warning dist/trunkline.changes

# Builds the packages in two folders, and fails if a file or a right in them differs, or if they name
# a folder of this machine. Takes twice as long as `make deb`, and leaves the same in dist/.
deb-twice: prerequisites
	packaging/prerequisites.sh deb
	packaging/built-twice
	lintian --fail-on error,warning dist/trunkline.changes

# Installs the packages of dist/ (built first where they are not there) on a throw-away Debian 12 with
# systemd, kills, hangs, reboots, upgrades and purges them, and in a whole virtual machine runs them
# against the unit's limits; the last line is one JSON object. FROM=DIR: the packages of an older version
# to upgrade from.
FROM ?=
test-vm:
	packaging/prerequisites.sh test-vm
	if ! ls dist/trunkline_*.deb >/dev/null 2>&1; then $(MAKE) --no-print-directory deb; fi
	python3 tests/vm/run.py --packages dist $(if $(FROM),--from $(FROM))

prerequisites:
	packaging/prerequisites.sh

clean:
	$(CARGO) clean
	rm -rf var dist
