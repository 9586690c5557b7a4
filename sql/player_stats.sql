-- What are the statistics of a player, or of these players, in each mode? Without the primary key there may be
-- several: the best ones first.
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
WHERE {rows}
ORDER BY s.id, s.mode, s.pp DESC, s.plays DESC
LIMIT {most}
