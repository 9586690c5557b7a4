-- How many beatmaps and clans are there, and how many scores with an id above `counted`?
SELECT
    (SELECT COUNT(*) FROM maps m) AS maps,
    (SELECT COUNT(*) FROM clans c) AS clans,
    (SELECT COUNT(*) FROM scores s WHERE s.id > :counted) AS newer_scores
