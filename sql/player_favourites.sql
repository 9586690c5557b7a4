-- Which beatmap sets has a player marked as favourites? The latest one first.
SELECT f.setid AS set_id
FROM favourites f
WHERE f.userid = :id
ORDER BY f.created_at DESC, f.setid DESC
LIMIT :limit
