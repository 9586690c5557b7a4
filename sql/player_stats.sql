-- What are a player's statistics in each mode?
SELECT
    s.id,
    s.mode,
    s.tscore,
    s.rscore,
    s.pp,
    s.plays,
    s.playtime,
    s.acc,
    s.max_combo,
    s.total_hits,
    s.replay_views,
    s.xh_count,
    s.x_count,
    s.sh_count,
    s.s_count,
    s.a_count
FROM stats s
WHERE s.id = :id
ORDER BY s.mode
LIMIT 100
