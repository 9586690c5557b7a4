-- Who has an API key? The comparison is as lax as the column's collation.
SELECT
    u.id,
    u.priv,
    u.api_key
FROM users u
WHERE u.api_key = :key
LIMIT 1
