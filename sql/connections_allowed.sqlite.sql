-- How many connections does the server allow, in all and to this user? SQLite allows any number.
SELECT 0 AS in_all, 0 AS for_user
