-- What may the database's user do with this database, as far as grants to the user itself say?
SELECT p.privilege_type AS privilege
FROM information_schema.user_privileges p
WHERE REPLACE(p.grantee, '''', '') = CURRENT_USER()
UNION
SELECT p.privilege_type AS privilege
FROM information_schema.schema_privileges p
WHERE REPLACE(p.grantee, '''', '') = CURRENT_USER()
    AND DATABASE() LIKE p.table_schema
UNION
SELECT p.privilege_type AS privilege
FROM information_schema.table_privileges p
WHERE REPLACE(p.grantee, '''', '') = CURRENT_USER()
    AND p.table_schema = DATABASE()
UNION
SELECT p.privilege_type AS privilege
FROM information_schema.column_privileges p
WHERE REPLACE(p.grantee, '''', '') = CURRENT_USER()
    AND p.table_schema = DATABASE()
ORDER BY privilege
LIMIT 1000
