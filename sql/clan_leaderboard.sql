-- What have the members of these clans achieved in a mode together, sorted by {sort}? Of the members, only those who are
-- visible count, and for the accuracy only those who have played.
SELECT
    c.id,
    c.name,
    c.tag,
    COALESCE(o.id, 0) AS owner,
    c.created_at,
    CAST(COALESCE(SUM(s.tscore), 0) AS SIGNED) AS total_tscore,
    CAST(COALESCE(SUM(s.rscore), 0) AS SIGNED) AS total_rscore,
    CAST(COALESCE(SUM(s.pp), 0) AS SIGNED) AS total_pp,
    COALESCE(ROUND(AVG(CASE WHEN s.plays > 0 THEN s.acc END), 3), 0) AS avg_acc,
    CAST(COALESCE(SUM(s.plays), 0) AS SIGNED) AS total_plays,
    CAST(COALESCE(SUM(s.playtime), 0) AS SIGNED) AS total_playtime,
    COUNT(DISTINCT u.id) AS member_count
FROM clans c
INNER JOIN users u ON u.clan_id = c.id
LEFT JOIN stats s ON s.id = u.id AND s.mode = :mode
LEFT JOIN users o ON o.id = c.owner AND (o.priv & :visible) = :visible
WHERE c.id IN (:ids)
    AND (u.priv & :visible) = :visible
GROUP BY c.id, c.name, c.tag, o.id, c.created_at
HAVING {sort} > 0
ORDER BY {sort} DESC, c.id
LIMIT 100
