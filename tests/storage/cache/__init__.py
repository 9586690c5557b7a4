"""Tests of storage/cache."""
