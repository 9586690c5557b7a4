-- Which medals exist?
SELECT
    a.id,
    a.file,
    a.name,
    a.`desc`
FROM achievements a
ORDER BY a.id
LIMIT :limit OFFSET :offset
