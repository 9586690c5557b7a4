-- What is in the header of a replay, and is its player visible?
SELECT
    s.id,
    s.score,
    s.max_combo,
    s.mods,
    s.n300,
    s.n100,
    s.n50,
    s.nmiss,
    s.ngeki,
    s.nkatu,
    s.grade,
    s.mode,
    s.play_time,
    s.perfect,
    u.name AS player__name,
    CASE WHEN u.id IS NOT NULL THEN COALESCE((u.priv & :visible) = :visible, 0) END AS player__visible,
    m.md5 AS beatmap__md5,
    m.artist AS beatmap__artist,
    m.title AS beatmap__title,
    m.version AS beatmap__version
FROM scores s
LEFT JOIN users u ON u.id = s.userid
LEFT JOIN maps m ON m.md5 = s.map_md5
WHERE s.id = :id
ORDER BY m.id
LIMIT 1
