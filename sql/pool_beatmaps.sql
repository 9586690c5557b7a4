-- Which beatmaps are in a map pool?
SELECT
    p.mods,
    p.slot,
    m.md5 AS beatmap
FROM tourney_pool_maps p
INNER JOIN maps m ON m.id = p.map_id
WHERE p.pool_id = :id
ORDER BY p.mods, p.slot, p.map_id, m.server DESC
LIMIT :limit
