-- What time is it on the database server, and how many seconds is its time zone ahead of UTC?
SELECT
    UNIX_TIMESTAMP() AS now,
    TIMESTAMPDIFF(
        SECOND, UTC_TIMESTAMP(), CONVERT_TZ(UTC_TIMESTAMP(), '+00:00', @@GLOBAL.time_zone)
    ) AS zone
