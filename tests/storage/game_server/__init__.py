"""Tests of storage/game_server."""
