-- Which indexes does the game server's own schema lack that make a difference for heavy players and beatmaps? Nothing
-- creates them automatically: `main.py check` reports which are missing and what that costs in your database, and each
-- line can be run while the game server runs. docs/performance.md has the times with and without them. MariaDB before
-- 10.8 and MySQL before 8 ignore DESC: the results are the same there, but boards of beatmaps are sorted each time.
-- An index on (userid, mode, map_md5) would also be chosen for best and recent scores, and make them ten times slower.

-- player_scores best: all best scores of a player are read and sorted without it; 25 bytes a row
CREATE INDEX apidot_scores_best ON scores (userid, mode, status, pp);

-- player_scores recent: all scores of a player are read and sorted without it; 25 bytes a row
CREATE INDEX apidot_scores_recent ON scores (userid, mode, play_time);

-- player_most_played: all scores of a player are read to be counted without it; 53 bytes a row
CREATE INDEX apidot_scores_played ON scores (userid, map_md5, mode);

-- beatmap_scores score: all best scores on a beatmap are read and sorted without it; 54 bytes a row
CREATE INDEX apidot_beatmap_by_score ON scores (map_md5, status, mode, score DESC);

-- beatmap_scores pp: all best scores on a beatmap with Relax or Autopilot are read and sorted without it; 54 bytes a row
CREATE INDEX apidot_beatmap_by_pp ON scores (map_md5, status, mode, pp DESC);

-- beatmap_scores play_time: all best scores on a beatmap are read and sorted without it; 55 bytes a row
CREATE INDEX apidot_beatmap_by_time ON scores (map_md5, status, mode, play_time DESC);

-- top_plays: of a mode that is seldom played, all scores with more pp are read without it; 21 bytes a row
CREATE INDEX apidot_top_plays ON scores (mode, status, pp);

-- beatmap_rating: all ratings are read without it; 56 bytes a row
CREATE INDEX apidot_ratings ON ratings (map_md5, userid, rating);

-- beatmap_counted: all favourites are read without it; 17 bytes a row
CREATE INDEX apidot_favourites ON favourites (setid, userid);

-- player_ranks: the statistics of all players in a mode are read without it; 17 bytes a row
CREATE INDEX apidot_stats_board ON stats (mode, pp);

-- leaderboard_least acc: the statistics of all players in a mode are read and sorted without it; 17 bytes a row
CREATE INDEX apidot_stats_acc ON stats (mode, acc);

-- leaderboard_least plays: the statistics of all players in a mode are read and sorted without it; 17 bytes a row
CREATE INDEX apidot_stats_plays ON stats (mode, plays);

-- leaderboard_least playtime: the statistics of all players in a mode are read and sorted without it; 17 bytes a row
CREATE INDEX apidot_stats_playtime ON stats (mode, playtime);

-- Earlier versions recommended these, which no statement uses any more:
-- DROP INDEX apidot_beatmap_best ON scores;
-- DROP INDEX apidot_beatmap_recent ON scores;
