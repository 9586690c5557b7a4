# `make` lists the targets.

PYTHONS ?= python3.14 python3.13 python3.12 python3.11 python3
PIP = .venv/bin/python -m pip --disable-pip-version-check --no-input
COMPILE = .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade
RUN = .venv/requirements.lock .venv-pp/requirements-pp.lock
TEST = $(RUN) .venv/requirements-test.lock

.ONESHELL:
.SHELLFLAGS = -euc
.DELETE_ON_ERROR:
.NOTPARALLEL:
# --no-loadscope-reorder: tests/conftest.py says which files are begun first.
PYTEST = .venv/bin/python -m pytest $(if $(TEST_DATABASE_URL)$(TEST_REDIS_URL),,--numprocesses 4 --dist loadfile --no-loadscope-reorder)

.PHONY: help install run test test-slow check format examples settings lock bench faults fresh fuzz

help:  # list these targets
	@awk -F ':.*  # ' '/^[a-z-]+:.*  # / { printf "make %-9s %s\n", $$1, $$2 }' Makefile

install: $(RUN)  # make .venv/, and .venv-pp/ for the pp engine, and put the locked packages in them

run: install  # serve the API; without settings of a game server, with the demo world
	exec .venv/bin/python main.py serve

test: $(TEST)  # run the tests, without tests/slow; ARGS='-k players' selects some
	@.venv/bin/python -m tests.support.install $@
	$(PYTEST) --ignore tests/slow $(ARGS)

test-slow: $(TEST)  # run the tests in tests/slow, which start a browser, nginx, the benchmark and other programs
	@.venv/bin/python -m tests.support.install $@
	@.venv/bin/python -m tests.support.mysqld
	$(PYTEST) tests/slow $(ARGS)

check: $(TEST)  # lint, formatting, types
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

format: $(TEST)  # format the code and fix what the linter can fix
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

examples: $(TEST)  # update the examples of /openapi.json from the demo world
	.venv/bin/python -m tests.support.openapi_examples

settings: .venv/requirements.lock  # update docs/settings.md and .env.example from config/settings.py
	.venv/bin/python -m config.reference

bench: $(TEST)  # measure the service and compare it with minimal applications; QUICK=1 takes five minutes instead of an hour
	@.venv/bin/python -m tests.support.install $@
	.venv/bin/python -m bench $(if $(QUICK),--quick) $(if $(BENCH_WORLD),--world '$(BENCH_WORLD)') $(if $(BENCH_OUT),--out '$(BENCH_OUT)') $(if $(BENCH_PEER),--peer '$(BENCH_PEER)') $(ARGS)

faults: $(TEST)  # break the database, Redis and more under load, and check every response; ROUNDS=100, FAULTS=packets,redis
	@.venv/bin/python -m tests.support.install $@
	.venv/bin/python -m faults $(if $(ROUNDS),--rounds '$(ROUNDS)') $(if $(FAULTS),--only '$(FAULTS)') $(ARGS)

fresh: $(TEST)  # run `make run` and `make test` in a new Debian, as root, and send requests; takes a quarter of an hour
	.venv/bin/python -m tests.support.fresh

fuzz: $(TEST)  # send the service requests made up from its description and from broken HTTP; N=100000, SEED=1 repeats a run
	@.venv/bin/python -m tests.support.install $@
	.venv/bin/python -m fuzz $(if $(N),--number '$(N)') $(if $(SEED),--seed '$(SEED)') $(ARGS)

lock: .venv/bin/python  # update requirements.lock, requirements-pp.lock, requirements-test.lock and deploy/requirements.lock
	$(PIP) install --quiet --upgrade uv
	export UV_CUSTOM_COMPILE_COMMAND='make lock'
	$(COMPILE) pyproject.toml -o requirements.lock --extra docs
	$(COMPILE) --group pp -o requirements-pp.lock
	$(COMPILE) pyproject.toml -o requirements-test.lock --extra asyncmy --extra docs --extra s3 --group test -c requirements.lock
	$(COMPILE) pyproject.toml -o deploy/requirements.lock --extra asyncmy --extra docs --extra s3 -c requirements.lock

.venv/%.lock: %.lock .venv/bin/python
	$(PIP) install --quiet --require-hashes -r $<
	touch $@

# The pp engine needs CPython 3.11: one that is on this machine, or one that uv downloads. If there is neither, everything
# else works, and the next `make install` tries again.
NO_ENGINE = calculate_pp will answer 501. Install CPython 3.11 (a package, pyenv or uv) and run `make install` again, or set PP_PYTHON

.venv-pp/requirements-pp.lock: requirements-pp.lock .venv-pp/bin/python
	@[ -d .venv-pp ] || exit 0
	if $(PIP) --python .venv-pp/bin/python install --quiet --require-hashes -r $<; then
	    touch $@
	else
	    echo 'The pp engine, akatsuki-pp-py, could not be installed (see above): $(NO_ENGINE)' >&2
	fi

.venv-pp/bin/python: | .venv/bin/python
	@rm -rf .venv-pp
	first() {
	    for python in "$$@"; do
	        "$$python" -c 'import sys, venv; sys.exit((sys.implementation.name, *sys.version_info[:2]) != ("cpython", 3, 11))' 2>/dev/null || continue
	        echo "$$python"
	        break
	    done
	}
	pyenv=$${PYENV_ROOT:-$${HOME:-}/.pyenv}/versions
	uv=$${UV_PYTHON_INSTALL_DIR:-$${HOME:-}/.local/share/uv/python}
	found=$$(first .venv/bin/python python3.11 python3 "$$pyenv"/3.11*/bin/python3.11 "$$uv"/cpython-3.11*/bin/python3.11)
	if [ -z "$$found" ]; then
	    echo 'no CPython 3.11 here for the pp engine: trying to download one'
	    uv=$$(command -v uv) || { uv=.venv/bin/uv; $(PIP) install --quiet --require-hashes -r requirements-pp.lock || true; }
	    UV_HTTP_RETRIES=1 timeout 180 "$$uv" python install --no-bin --install-dir .venv-pp/python 3.11 >/dev/null 2>&1 || true
	    found=$$(first .venv-pp/python/cpython-3.11*/bin/python3.11)
	fi
	if [ -z "$$found" ]; then
	    rm -rf .venv-pp
	    echo 'The pp engine, akatsuki-pp-py, needs CPython 3.11, which is not here and could not be downloaded: $(NO_ENGINE)' >&2
	    exit 0
	fi
	echo "making .venv-pp/ with $$("$$found" --version)"
	"$$found" -m venv --without-pip .venv-pp

# On Debian, ensurepip, which `venv` needs, is in a separate package.
.venv/bin/python:
	@found=; complete=
	for python in $(PYTHONS); do
	    "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
	    found=$${found:-$$python}
	    if "$$python" -c 'import ensurepip' 2>/dev/null; then complete=$$python; break; fi
	done
	if [ -z "$$found" ]; then
	    echo "Python 3.11 or newer is needed; python3 here: $$(python3 --version 2>/dev/null || echo none)" >&2
	    exit 1
	fi
	if [ -z "$$complete" ]; then
	    complete=$$found
	    package=$$("$$found" -c 'import sys; print("python3.%d-venv" % sys.version_info[1])')
	    sudo=; [ "$$(id -u)" = 0 ] || sudo='sudo -n'
	    if ! command -v apt-get >/dev/null || ! $$sudo true 2>/dev/null; then
	        echo "$$found cannot make a virtual environment: please install the package $$package" >&2
	        exit 1
	    fi
	    echo "installing $$package"
	    apt="$$sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq -y"
	    $$apt install "$$package" >/dev/null 2>&1 || { $$apt update; $$apt install "$$package"; }
	fi
	echo "making .venv/ with $$("$$complete" --version)"
	"$$complete" -m venv --clear .venv
