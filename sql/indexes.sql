-- Which indexes does the game server's own schema lack that make a difference for heavy players and beatmaps? Nothing
-- creates them automatically: `main.py check` reports which are missing, and each line can be run while the game server
-- runs. Measured on a slow machine on MariaDB 10.11 with 50 000 players and 3 000 000 scores, for the heaviest player,
-- beatmap or mode and 50 rows; `make bench` measures it on yours. Together they take 640 MB there.
-- An index on (userid, mode, map_md5) would also be chosen for best and recent scores, and make them ten times slower.

-- player_scores_best reads and sorts all scores of a player without it: 48 ms instead of 3 ms; 73 MB
CREATE INDEX apidot_scores_best ON scores (userid, mode, status, pp);

-- player_scores_recent reads and sorts all scores of a player without it: 51 ms instead of 2 ms; 73 MB
CREATE INDEX apidot_scores_recent ON scores (userid, mode, play_time);

-- player_most_played reads all scores of a player to count them without it: 59 ms instead of 12 ms; 152 MB
CREATE INDEX apidot_scores_played ON scores (userid, map_md5, mode);

-- beatmap_scores by score reads and sorts all best scores on a beatmap without it: 24 ms instead of 3 ms; 155 MB
CREATE INDEX apidot_beatmap_by_score ON scores (map_md5, status, mode, score DESC);

-- beatmap_scores by pp, for Relax and Autopilot, does the same without it: 24 ms instead of 3 ms; 155 MB
CREATE INDEX apidot_beatmap_by_pp ON scores (map_md5, status, mode, pp DESC);

-- beatmap_scores by play_time, for the recent ones, does the same without it: 23 ms instead of 3 ms; 158 MB
CREATE INDEX apidot_beatmap_by_time ON scores (map_md5, status, mode, play_time DESC);

-- beatmap_rating looks for the rating of every player without it: 96 ms instead of 0.3 ms; 4 MB
CREATE INDEX apidot_ratings ON ratings (map_md5, userid, rating);

-- player_ranks counts in the whole mode without it: 1 072 ms instead of 382 ms; 7 MB
CREATE INDEX apidot_stats_board ON stats (mode, pp);

-- leaderboard_least by acc sorts a whole mode without it: 158 ms instead of 3 ms; 7 MB
CREATE INDEX apidot_stats_acc ON stats (mode, acc);

-- leaderboard_least by plays sorts a whole mode without it: 157 ms instead of 3 ms; 7 MB
CREATE INDEX apidot_stats_plays ON stats (mode, plays);

-- leaderboard_least by playtime sorts a whole mode without it: 160 ms instead of 3 ms; 7 MB
CREATE INDEX apidot_stats_playtime ON stats (mode, playtime);
