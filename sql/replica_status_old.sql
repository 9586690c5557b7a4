-- How far is this replica behind its source? Older servers than those of replica_status
SHOW SLAVE STATUS
