-- Which player has this API key? The column's collation may ignore case and trailing spaces.
SELECT
    u.id,
    u.priv,
    u.api_key
FROM users u
WHERE u.api_key = :key
ORDER BY u.id
LIMIT 1
