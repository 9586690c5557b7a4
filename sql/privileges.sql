-- What may the database user do with this database? Privileges of roles are not included.
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
