-- What may this service do with the file? It reads, and changes profiles.
SELECT 'SELECT' AS privilege
UNION
SELECT 'UPDATE' AS privilege
