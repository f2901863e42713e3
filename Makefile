# Everything from a checkout. Each target installs what a fresh Debian 12 with a Rust toolchain lacks.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
CARGO ?= cargo
ONCE ?=
KILLS ?= 20
SEED ?= 1

.PHONY: demo torture torture-sabotage test bench test-asterisk deb check lint clean prerequisites

# Starts the simulators and the daemon under ./var, plays a working day, shows what became of it.
# ONCE=1: ends by itself; exit status 0 only if every expected effect is there, once.
demo: prerequisites
	$(CARGO) build --locked --bins
	exec "$${CARGO_TARGET_DIR:-target}"/debug/trunkline-lab demo $(if $(ONCE),--once,) --dir ./var \
	  --daemon "$${CARGO_TARGET_DIR:-target}"/debug/trunkline

# Kills the daemon KILLS times under load, with every fault on; the last line is one JSON object,
# exit status 0 only if nothing is lost, twice, out of order or too fast. docs/torture.md.
torture: prerequisites
	$(CARGO) build --locked --bins
	exec "$${CARGO_TARGET_DIR:-target}"/debug/trunkline-lab torture --kills $(KILLS) --seed $(SEED) \
	  --dir ./var/torture --daemon "$${CARGO_TARGET_DIR:-target}"/debug/trunkline

# What the torture must notice: a build of the daemon breaks one promise at a time, docs/torture.md.
SABOTAGES := no_look_after_ambiguous acknowledge_before_commit lane_ignored limiter_plus_one spent_token_reused call_time_now

torture-sabotage: prerequisites
	$(CARGO) build --locked --bin trunkline-lab
	$(CARGO) build --locked --features sabotage --bin trunkline-sabotaged
	mkdir -p var
	debug="$${CARGO_TARGET_DIR:-target}"/debug; \
	printf '%s\n' $(SABOTAGES) | xargs -P 3 -I '{}' sh -c \
	  '"$$0"/trunkline-lab torture --kills 5 --seed $(SEED) --sabotage {} --dir ./var/torture-{} \
	     --daemon "$$0"/trunkline-sabotaged >./var/torture-{}.out 2>&1 && tail -n 1 ./var/torture-{}.out \
	     || { cat ./var/torture-{}.out; exit 255; }' "$$debug"

# Every check that CI runs.
test: prerequisites lint
	$(CARGO) test --locked
	$(MAKE) --no-print-directory torture KILLS=5
	$(MAKE) --no-print-directory torture-sabotage
	$(MAKE) --no-print-directory demo ONCE=1

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

# Builds the Debian packages into dist/.
deb: prerequisites
	packaging/prerequisites.sh deb
	rm -rf dist
	mkdir dist
	dpkg-buildpackage --build=binary --no-sign --post-clean \
	  --buildinfo-file=dist/trunkline.buildinfo --buildinfo-option=-udist \
	  --changes-file=dist/trunkline.changes --changes-option=-udist
	if command -v lintian >/dev/null; then lintian --fail-on error,warning dist/trunkline.changes; fi

prerequisites:
	packaging/prerequisites.sh

clean:
	$(CARGO) clean
	rm -rf var dist
