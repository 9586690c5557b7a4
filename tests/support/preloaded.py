"""Imported once by the process that the services of the tests are forked from (forked.py)."""

import gc
import time
from ctypes import c_double
from importlib import import_module

_monotonic, _monotonic_ns = time.monotonic, time.monotonic_ns

# The seconds by which a test has put the clock of its service forward, instead of waiting until caches expire.
ahead = c_double()
# Replaced before modules take the functions as defaults of parameters. Event loops have clocks of their own.
time.monotonic = lambda: _monotonic() + ahead.value
time.monotonic_ns = lambda: _monotonic_ns() + int(ahead.value * 1e9)

# What commands import.
for name in (
    "main",
    "api.app",
    "api.server",
    "api.startup",
    "checks.command",
    "checks.check_replays",
    "demo.command",
):
    import_module(name)
# What a start imports later.
for name in ("databases.backends.sqlite", "databases.backends.mysql", "databases.backends.asyncmy"):
    import_module(name)
for name in ("aiohttp", "uvicorn.lifespan.on", "uvicorn.loops.uvloop", "uvicorn.protocols.websockets.auto"):
    import_module(name)
# A service collects garbage when it starts, and need not look at all of this again.
gc.freeze()
