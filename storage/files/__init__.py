"""The folders of avatars and beatmap files."""
