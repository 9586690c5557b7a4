-- How many connections does the server allow, in all and to this user? 0 is any number.
SELECT @@max_connections AS in_all, @@max_user_connections AS for_user
