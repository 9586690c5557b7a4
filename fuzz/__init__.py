"""The fuzzer: sends generated requests to a running service and checks every response."""
