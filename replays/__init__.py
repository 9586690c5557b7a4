"""Replays: the .osr format, where replays are stored, and how they are sent."""
