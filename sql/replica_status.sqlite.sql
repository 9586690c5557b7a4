-- How far is this replica behind its source? SQLite has no replicas.
SELECT NULL AS Seconds_Behind_Source
