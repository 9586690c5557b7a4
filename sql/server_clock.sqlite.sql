-- What time is it, and how many seconds is this machine's time zone ahead of UTC?
SELECT
    CAST(strftime('%s', 'now') AS INTEGER) AS now,
    CAST(strftime('%s', 'now', 'localtime') AS INTEGER) - CAST(strftime('%s', 'now') AS INTEGER) AS zone
