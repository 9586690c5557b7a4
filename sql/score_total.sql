-- How many scores have an id up to `last`? An expression, unlike a range of ids, lets the server read its smallest index.
SELECT COUNT(CASE WHEN s.id <= :last THEN s.id END) AS total
FROM scores s
