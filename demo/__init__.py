"""The demo world: a generator of players, beatmaps, scores and replays."""
