-- Which scores with an id from `first` to `last` match these filters?
SELECT
    s.id,
    s.map_md5,
    s.userid,
    u.name AS player_name,
    s.score,
    s.pp,
    s.acc,
    s.max_combo,
    s.mods,
    s.n300,
    s.n100,
    s.n50,
    s.nmiss,
    s.ngeki,
    s.nkatu,
    s.grade,
    s.status,
    s.mode,
    s.play_time,
    s.time_elapsed,
    s.perfect
FROM scores s
STRAIGHT_JOIN users u ON u.id = s.userid
WHERE s.id >= :first
    AND (:last IS NULL OR s.id <= :last)
    AND (u.priv & :visible) = :visible
    AND (:map_md5 IS NULL OR s.map_md5 = :map_md5)
    AND (:mods IS NULL OR s.mods = :mods)
    AND (:status IS NULL OR s.status = :status)
    AND (:mode IS NULL OR s.mode = :mode)
    AND (:user_id IS NULL OR s.userid = :user_id)
ORDER BY s.id
LIMIT :limit OFFSET :offset
