"""What the fork server of the tests imports, so that the services it forks need not."""

import gc
import time
from ctypes import c_double
from importlib import import_module

_monotonic, _monotonic_ns = time.monotonic, time.monotonic_ns

# Seconds that the test has put the clock of a service forward, so that it need not wait for what expires.
ahead = c_double()
# Before anything takes the real ones as a default. Event loops have clocks of their own.
time.monotonic = lambda: _monotonic() + ahead.value
time.monotonic_ns = lambda: _monotonic_ns() + int(ahead.value * 1e9)

import_module("main")
# These a start imports when it needs them.
for name in ("databases.backends.sqlite", "databases.backends.mysql", "databases.backends.asyncmy"):
    import_module(name)
for name in ("uvicorn.lifespan.on", "uvicorn.loops.uvloop", "uvicorn.protocols.websockets.auto"):
    import_module(name)
# Services collect garbage when they start, and need not look at all of this again.
gc.freeze()
