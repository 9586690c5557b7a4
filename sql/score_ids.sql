-- Which ids of scores are there from `first` on? The lowest ones come first.
SELECT
    s.id
FROM scores s
WHERE s.id >= :first
ORDER BY s.id
LIMIT :limit OFFSET :offset
