# Everything is private to .build; `make demo` and `make test` prepare it themselves. PG_CONFIG=/path/to/pg_config
# chooses another PostgreSQL than the distribution's: a copy of it is used, except by `make install`.

# What tests/setup/prepare.sh has found, in the environment of a command.
in_env = set -a && . ./.build/env && set +a && PATH="$$PWD/.build/cargo-pgrx/bin:$$PATH" &&
# The same with the server that has the release build.
in_bench_env = $(in_env) set -a && . ./.build/bench/env && set +a &&
# cargo-pgrx would add linker flags to every crate, and so build all of them a second time; pg_ext/build.rs gives
# these flags to the library alone.
export CARGO_PGRX_DISABLE_GC_SECTIONS_WORKAROUND = 1
pg_features = --no-default-features --features ext_registry/pg$$PG_MAJOR
# One selection for every build of them: another one would unify features differently and build twice.
plain_crates = --package ext_registry_core --package pg_connect --package ext-migrate --package ext_registry_lint --package ext_registry_tests

# Cargo uses every core by itself, and one step needs the other's result.
.NOTPARALLEL:
.PHONY: help prepare build lint unit in-server other-servers integration updated test test-all test-debian soak bench bench-large bench-build audit demo demo-stop psql install deb deb-test freeze

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1	\2/p' Makefile | expand -t 18

prepare:
	@tests/setup/prepare.sh

build: prepare ## Build ext-migrate, and the extension into the private server
	@$(in_env) cargo build $(plain_crates)
	@$(in_env) tests/setup/install-extension.sh

lint: prepare ## Formatting and clippy
	@$(in_env) tests/setup/lint.sh $(pg_features)

unit: prepare ## Tests that need no server
	@$(in_env) cargo test --package ext_registry_core --package pg_connect --package ext-migrate --package ext_registry_lint

in-server: prepare ## Tests that run inside a server (cargo pgrx test)
	@$(in_env) tests/setup/pgrx-test.sh

other-servers: prepare ## Prepare PostgreSQL 16 and 18, extension included, for the tests of pg_upgrade
	@$(in_env) tests/setup/other-servers.sh

integration: build ## Tests on real servers; ARGS="--test finalize" runs some of them
	@tests/setup/pgbouncer.sh
	@tests/setup/app-runtimes.sh
	@$(in_env) cargo test $(plain_crates) $(ARGS)

# in-server comes first: it leaves its own build of the extension behind, which `build` replaces.
test: lint in-server other-servers integration updated ## Everything

# Those that begin with a migrated registry.
updated_tests = finalize list bypass log log_audit rights viewer
updated: build ## Tests of publishing, listing, guards, rights and log on registries that began as each earlier release
	@$(in_env) for release in $$(tests/setup/earlier-releases.sh); do \
	    echo "== a registry that began as $$release" >&2; \
	    EXT_REGISTRY_BEGAN_AS=$$release cargo test $(plain_crates) $(updated_tests:%=--test %) || exit; \
	done

# Each of them is prepared like any PG_CONFIG=…, one after the other; in the end the first one is chosen again.
EACH = in-server integration
test-all: test ## Everything, then the tests on each further PostgreSQL that other-servers has found
	@[ -f .build/other-servers ] || echo "== no other PostgreSQL is tested: none could be prepared" >&2
	@[ ! -f .build/other-servers ] || while read -r major pg_config; do \
	    echo "== PostgreSQL $$major" >&2; \
	    $(MAKE) --no-print-directory $(EACH) PG_CONFIG="$$pg_config" </dev/null || exit; \
	done <.build/other-servers
	@tests/setup/prepare.sh

test-debian: ## The same tests in a fresh Debian on its PostgreSQL, DEBIAN=trixie for 17; needs root and debootstrap
	@tests/setup/test-debian.sh other-servers $(EACH) $(if $(ARGS),ARGS="$(ARGS)")

soak: build ## Races, crashes, resources and bad input at full size: 64 clients, 50 kills, a million calls, ten million inputs; prints its figures
	@$(in_env) EXT_REGISTRY_SOAK=1 cargo test $(plain_crates) --test fuzz --test stress --test crash --test resources --test bad_input --test migrate_online --test migrate_interrupted -- --nocapture --test-threads 1

bench: bench-build ## Measure against what one would use instead, small (minutes); ARGS="finalize list" measures parts
	@$(in_bench_env) cargo bench $(plain_crates) --bench registry -- $(ARGS)

bench-large: bench-build ## The same at 5 million versions (tens of minutes, 40 GB of disk)
	@$(in_bench_env) cargo bench $(plain_crates) --bench registry -- --large $(ARGS)

bench-build: prepare
	@$(in_env) tests/setup/bench-server.sh
	@$(in_env) cargo build --release $(plain_crates) --bin ext-migrate

audit: ## Licenses and known vulnerabilities of the dependencies; needs cargo-deny and the network
	@tests/setup/audit.sh

demo: build ## Publish, be refused and list on a private server, in psql
	@$(in_env) tests/demo/demo.sh

demo-stop: ## Stop the server of the demo and remove its data
	@tests/demo/stop.sh

psql: ## Open psql on the server of the demo
	@tests/demo/psql.sh

install: ## Install into the PostgreSQL of PG_CONFIG=/path/to/pg_config, and ext-migrate with cargo install
	@tests/setup/install.sh

deb: prepare ## Build Debian packages of the extension and of ext-migrate into .build/deb
	@$(in_env) packaging/debian/build.sh

deb-test: ## Install those packages in a fresh Debian and use them there; needs root and debootstrap
	@packaging/debian/test.sh

freeze: build ## Record the files of the release that CHANGELOG.md names: from then on they do not change
	@$(in_env) UPDATE_RELEASED=1 cargo test $(plain_crates) --test release files_of_a_release
