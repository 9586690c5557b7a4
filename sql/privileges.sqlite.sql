-- What may this service do with the file? It reads.
SELECT 'SELECT' AS privilege
