-- How far is this replica behind its source? MySQL 8.0.22, MariaDB 10.5 and newer
SHOW REPLICA STATUS
