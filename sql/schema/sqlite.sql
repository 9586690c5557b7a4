-- The tables of mysql.sql as SQLite has them. Text compares without regard to letter case, as it does there:
-- all of it, because a join of two columns is served by an index only if both have the same collation.

CREATE TABLE achievements (
  id     INTEGER PRIMARY KEY,
  file   TEXT    NOT NULL COLLATE NOCASE,
  name   TEXT    NOT NULL COLLATE NOCASE,
  "desc" TEXT    NOT NULL COLLATE NOCASE,
  cond   TEXT    NOT NULL COLLATE NOCASE,
  UNIQUE ("desc"),
  UNIQUE (file),
  UNIQUE (name)
);

CREATE TABLE clans (
  id         INTEGER PRIMARY KEY,
  name       TEXT    NOT NULL COLLATE NOCASE,
  tag        TEXT    NOT NULL COLLATE NOCASE,
  owner      INTEGER NOT NULL,
  created_at TEXT    NOT NULL,
  UNIQUE (name),
  UNIQUE (owner),
  UNIQUE (tag)
);

CREATE TABLE favourites (
  userid     INTEGER NOT NULL,
  setid      INTEGER NOT NULL,
  created_at INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (userid, setid)
);

CREATE TABLE ingame_logins (
  id         INTEGER PRIMARY KEY,
  userid     INTEGER NOT NULL,
  ip         TEXT    NOT NULL COLLATE NOCASE,
  osu_ver    TEXT    NOT NULL,
  osu_stream TEXT    NOT NULL COLLATE NOCASE,
  datetime   TEXT    NOT NULL
);

CREATE TABLE relationships (
  user1 INTEGER NOT NULL,
  user2 INTEGER NOT NULL,
  type  TEXT    NOT NULL COLLATE NOCASE CHECK (type IN ('friend', 'block')),
  PRIMARY KEY (user1, user2)
);

CREATE TABLE maps (
  server       TEXT    NOT NULL DEFAULT 'osu!' COLLATE NOCASE CHECK (server IN ('osu!', 'private')),
  id           INTEGER NOT NULL,
  set_id       INTEGER NOT NULL,
  status       INTEGER NOT NULL,
  md5          TEXT    NOT NULL COLLATE NOCASE,
  artist       TEXT    NOT NULL COLLATE NOCASE,
  title        TEXT    NOT NULL COLLATE NOCASE,
  version      TEXT    NOT NULL COLLATE NOCASE,
  creator      TEXT    NOT NULL COLLATE NOCASE,
  filename     TEXT    NOT NULL COLLATE NOCASE,
  last_update  TEXT    NOT NULL,
  total_length INTEGER NOT NULL,
  max_combo    INTEGER NOT NULL,
  frozen       INTEGER NOT NULL DEFAULT 0,
  plays        INTEGER NOT NULL DEFAULT 0,
  passes       INTEGER NOT NULL DEFAULT 0,
  mode         INTEGER NOT NULL DEFAULT 0,
  bpm          REAL    NOT NULL DEFAULT 0.0,
  cs           REAL    NOT NULL DEFAULT 0.0,
  ar           REAL    NOT NULL DEFAULT 0.0,
  od           REAL    NOT NULL DEFAULT 0.0,
  hp           REAL    NOT NULL DEFAULT 0.0,
  diff         REAL    NOT NULL DEFAULT 0.0,
  PRIMARY KEY (server, id),
  UNIQUE (id),
  UNIQUE (md5)
);

CREATE TABLE mapsets (
  server            TEXT    NOT NULL DEFAULT 'osu!' COLLATE NOCASE CHECK (server IN ('osu!', 'private')),
  id                INTEGER NOT NULL,
  last_osuapi_check TEXT    NOT NULL DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (server, id),
  UNIQUE (id)
);

CREATE TABLE ratings (
  userid  INTEGER NOT NULL,
  map_md5 TEXT    NOT NULL COLLATE NOCASE,
  rating  INTEGER NOT NULL,
  PRIMARY KEY (userid, map_md5)
);

CREATE TABLE scores (
  id              INTEGER PRIMARY KEY,
  map_md5         TEXT    NOT NULL COLLATE NOCASE,
  score           INTEGER NOT NULL,
  pp              REAL    NOT NULL,
  acc             REAL    NOT NULL,
  max_combo       INTEGER NOT NULL,
  mods            INTEGER NOT NULL,
  n300            INTEGER NOT NULL,
  n100            INTEGER NOT NULL,
  n50             INTEGER NOT NULL,
  nmiss           INTEGER NOT NULL,
  ngeki           INTEGER NOT NULL,
  nkatu           INTEGER NOT NULL,
  grade           TEXT    NOT NULL DEFAULT 'N' COLLATE NOCASE,
  status          INTEGER NOT NULL,
  mode            INTEGER NOT NULL,
  play_time       TEXT    NOT NULL,
  time_elapsed    INTEGER NOT NULL,
  client_flags    INTEGER NOT NULL,
  userid          INTEGER NOT NULL,
  perfect         INTEGER NOT NULL,
  online_checksum TEXT    NOT NULL COLLATE NOCASE
);

CREATE TABLE stats (
  id           INTEGER NOT NULL,
  mode         INTEGER NOT NULL,
  tscore       INTEGER NOT NULL DEFAULT 0,
  rscore       INTEGER NOT NULL DEFAULT 0,
  pp           INTEGER NOT NULL DEFAULT 0,
  plays        INTEGER NOT NULL DEFAULT 0,
  playtime     INTEGER NOT NULL DEFAULT 0,
  acc          REAL    NOT NULL DEFAULT 0.0,
  max_combo    INTEGER NOT NULL DEFAULT 0,
  total_hits   INTEGER NOT NULL DEFAULT 0,
  replay_views INTEGER NOT NULL DEFAULT 0,
  xh_count     INTEGER NOT NULL DEFAULT 0,
  x_count      INTEGER NOT NULL DEFAULT 0,
  sh_count     INTEGER NOT NULL DEFAULT 0,
  s_count      INTEGER NOT NULL DEFAULT 0,
  a_count      INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (id, mode)
);

CREATE TABLE tourney_pool_maps (
  map_id  INTEGER NOT NULL,
  pool_id INTEGER NOT NULL,
  mods    INTEGER NOT NULL,
  slot    INTEGER NOT NULL,
  PRIMARY KEY (map_id, pool_id)
);

CREATE TABLE tourney_pools (
  id         INTEGER PRIMARY KEY,
  name       TEXT    NOT NULL COLLATE NOCASE,
  created_at TEXT    NOT NULL,
  created_by INTEGER NOT NULL
);

CREATE TABLE user_achievements (
  userid INTEGER NOT NULL,
  achid  INTEGER NOT NULL,
  PRIMARY KEY (userid, achid)
);

CREATE TABLE users (
  id                INTEGER PRIMARY KEY,
  name              TEXT    NOT NULL COLLATE NOCASE,
  safe_name         TEXT    NOT NULL COLLATE NOCASE,
  email             TEXT    NOT NULL COLLATE NOCASE,
  priv              INTEGER NOT NULL DEFAULT 1,
  pw_bcrypt         TEXT    NOT NULL COLLATE NOCASE,
  country           TEXT    NOT NULL DEFAULT 'xx' COLLATE NOCASE,
  silence_end       INTEGER NOT NULL DEFAULT 0,
  donor_end         INTEGER NOT NULL DEFAULT 0,
  creation_time     INTEGER NOT NULL DEFAULT 0,
  latest_activity   INTEGER NOT NULL DEFAULT 0,
  clan_id           INTEGER NOT NULL DEFAULT 0,
  clan_priv         INTEGER NOT NULL DEFAULT 0,
  preferred_mode    INTEGER NOT NULL DEFAULT 0,
  play_style        INTEGER NOT NULL DEFAULT 0,
  custom_badge_name TEXT    COLLATE NOCASE,
  custom_badge_icon TEXT    COLLATE NOCASE,
  userpage_content  TEXT    COLLATE NOCASE,
  api_key           TEXT    COLLATE NOCASE,
  UNIQUE (api_key),
  UNIQUE (email),
  UNIQUE (name),
  UNIQUE (safe_name)
);

CREATE INDEX maps_set_id_index ON maps (set_id);
CREATE INDEX maps_status_index ON maps (status);
CREATE INDEX maps_filename_index ON maps (filename);
CREATE INDEX maps_plays_index ON maps (plays);
CREATE INDEX maps_mode_index ON maps (mode);
CREATE INDEX maps_frozen_index ON maps (frozen);

CREATE INDEX scores_map_md5_index ON scores (map_md5);
CREATE INDEX scores_score_index ON scores (score);
CREATE INDEX scores_pp_index ON scores (pp);
CREATE INDEX scores_mods_index ON scores (mods);
CREATE INDEX scores_status_index ON scores (status);
CREATE INDEX scores_mode_index ON scores (mode);
CREATE INDEX scores_play_time_index ON scores (play_time);
CREATE INDEX scores_userid_index ON scores (userid);
CREATE INDEX scores_online_checksum_index ON scores (online_checksum);
CREATE INDEX scores_fetch_leaderboard_generic_index ON scores (map_md5, status, mode);

CREATE INDEX stats_mode_index ON stats (mode);
CREATE INDEX stats_pp_index ON stats (pp);
CREATE INDEX stats_tscore_index ON stats (tscore);
CREATE INDEX stats_rscore_index ON stats (rscore);

CREATE INDEX tourney_pool_maps_mods_slot_index ON tourney_pool_maps (mods, slot);
CREATE INDEX tourney_pool_maps_pool_id_index ON tourney_pool_maps (pool_id);

CREATE INDEX tourney_pools_created_by_index ON tourney_pools (created_by);

CREATE INDEX user_achievements_achid_index ON user_achievements (achid);
CREATE INDEX user_achievements_userid_index ON user_achievements (userid);

CREATE INDEX users_priv_index ON users (priv);
CREATE INDEX users_clan_id_index ON users (clan_id);
CREATE INDEX users_clan_priv_index ON users (clan_priv);
CREATE INDEX users_country_index ON users (country);
