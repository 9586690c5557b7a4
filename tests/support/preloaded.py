"""What the fork server of the tests imports, so that no service has to."""

import gc

import main as main

# Services collect garbage when they start, and need not look at all of this again.
gc.freeze()
