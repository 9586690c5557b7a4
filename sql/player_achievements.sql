-- Which medals exist, and which of them has a player?
SELECT
    a.id,
    a.file,
    a.name,
    a.`desc`,
    EXISTS (SELECT 1 FROM user_achievements x WHERE x.userid = :id AND x.achid = a.id) AS achieved
FROM achievements a
ORDER BY a.id
LIMIT 1000
