"""Tests of storage/events."""
