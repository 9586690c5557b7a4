-- The game server's tables, for the demo world and the tests; nothing creates them in an operator's database.
-- Indexes come after the tables: filling these in between is many times faster with millions of rows.

CREATE TABLE achievements (
  id     int          NOT NULL AUTO_INCREMENT,
  file   varchar(128) NOT NULL,
  name   varchar(128) CHARACTER SET utf8mb3 NOT NULL,
  `desc` varchar(256) CHARACTER SET utf8mb3 NOT NULL,
  cond   varchar(64)  NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY achievements_desc_uindex (`desc`),
  UNIQUE KEY achievements_file_uindex (file),
  UNIQUE KEY achievements_name_uindex (name)
) ENGINE=InnoDB DEFAULT CHARACTER SET latin1;

CREATE TABLE clans (
  id         int         NOT NULL AUTO_INCREMENT,
  name       varchar(16) CHARACTER SET utf8mb3 NOT NULL,
  tag        varchar(6)  CHARACTER SET utf8mb3 NOT NULL,
  owner      int         NOT NULL,
  created_at datetime    NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY clans_name_uindex (name),
  UNIQUE KEY clans_owner_uindex (owner),
  UNIQUE KEY clans_tag_uindex (tag)
) ENGINE=InnoDB DEFAULT CHARACTER SET latin1;

CREATE TABLE favourites (
  userid     int NOT NULL,
  setid      int NOT NULL,
  created_at int NOT NULL DEFAULT 0,
  PRIMARY KEY (userid, setid)
) ENGINE=InnoDB DEFAULT CHARACTER SET latin1;

CREATE TABLE ingame_logins (
  id         int         NOT NULL AUTO_INCREMENT,
  userid     int         NOT NULL,
  ip         varchar(45) NOT NULL,
  osu_ver    date        NOT NULL,
  osu_stream varchar(11) NOT NULL,
  datetime   datetime    NOT NULL,
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARACTER SET latin1;

CREATE TABLE relationships (
  user1 int NOT NULL,
  user2 int NOT NULL,
  type  enum('friend', 'block') NOT NULL,
  PRIMARY KEY (user1, user2)
) ENGINE=InnoDB DEFAULT CHARACTER SET latin1;

CREATE TABLE maps (
  server       enum('osu!', 'private') NOT NULL DEFAULT 'osu!',
  id           int          NOT NULL,
  set_id       int          NOT NULL,
  status       int          NOT NULL,
  md5          char(32)     NOT NULL,
  artist       varchar(128) CHARACTER SET utf8mb3 NOT NULL,
  title        varchar(128) CHARACTER SET utf8mb3 NOT NULL,
  version      varchar(128) CHARACTER SET utf8mb3 NOT NULL,
  creator      varchar(19)  CHARACTER SET utf8mb3 NOT NULL,
  filename     varchar(256) CHARACTER SET utf8mb3 NOT NULL,
  last_update  datetime     NOT NULL,
  total_length int          NOT NULL,
  max_combo    int          NOT NULL,
  frozen       tinyint(1)   NOT NULL DEFAULT 0,
  plays        int          NOT NULL DEFAULT 0,
  passes       int          NOT NULL DEFAULT 0,
  mode         tinyint(1)   NOT NULL DEFAULT 0,
  bpm          float(12,2)  NOT NULL DEFAULT 0.00,
  cs           float(4,2)   NOT NULL DEFAULT 0.00,
  ar           float(4,2)   NOT NULL DEFAULT 0.00,
  od           float(4,2)   NOT NULL DEFAULT 0.00,
  hp           float(4,2)   NOT NULL DEFAULT 0.00,
  diff         float(6,3)   NOT NULL DEFAULT 0.000,
  PRIMARY KEY (server, id),
  UNIQUE KEY maps_id_uindex (id),
  UNIQUE KEY maps_md5_uindex (md5)
) ENGINE=InnoDB DEFAULT CHARACTER SET latin1;

CREATE TABLE mapsets (
  server            enum('osu!', 'private') NOT NULL DEFAULT 'osu!',
  id                int      NOT NULL,
  last_osuapi_check datetime NOT NULL DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (server, id),
  UNIQUE KEY mapsets_id_uindex (id)
) ENGINE=InnoDB DEFAULT CHARACTER SET latin1;

CREATE TABLE ratings (
  userid  int        NOT NULL,
  map_md5 char(32)   NOT NULL,
  rating  tinyint(2) NOT NULL,
  PRIMARY KEY (userid, map_md5)
) ENGINE=InnoDB DEFAULT CHARACTER SET latin1;

CREATE TABLE scores (
  id              bigint unsigned NOT NULL AUTO_INCREMENT,
  map_md5         char(32)   NOT NULL,
  score           int        NOT NULL,
  pp              float(7,3) NOT NULL,
  acc             float(6,3) NOT NULL,
  max_combo       int        NOT NULL,
  mods            int        NOT NULL,
  n300            int        NOT NULL,
  n100            int        NOT NULL,
  n50             int        NOT NULL,
  nmiss           int        NOT NULL,
  ngeki           int        NOT NULL,
  nkatu           int        NOT NULL,
  grade           varchar(2) NOT NULL DEFAULT 'N',
  status          tinyint    NOT NULL,
  mode            tinyint    NOT NULL,
  play_time       datetime   NOT NULL,
  time_elapsed    int        NOT NULL,
  client_flags    int        NOT NULL,
  userid          int        NOT NULL,
  perfect         tinyint(1) NOT NULL,
  online_checksum char(32)   NOT NULL,
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARACTER SET latin1;

CREATE TABLE stats (
  id           int             NOT NULL AUTO_INCREMENT,
  mode         tinyint(1)      NOT NULL,
  tscore       bigint unsigned NOT NULL DEFAULT 0,
  rscore       bigint unsigned NOT NULL DEFAULT 0,
  pp           int unsigned    NOT NULL DEFAULT 0,
  plays        int unsigned    NOT NULL DEFAULT 0,
  playtime     int unsigned    NOT NULL DEFAULT 0,
  acc          float(6,3)      NOT NULL DEFAULT 0.000,
  max_combo    int unsigned    NOT NULL DEFAULT 0,
  total_hits   int unsigned    NOT NULL DEFAULT 0,
  replay_views int unsigned    NOT NULL DEFAULT 0,
  xh_count     int unsigned    NOT NULL DEFAULT 0,
  x_count      int unsigned    NOT NULL DEFAULT 0,
  sh_count     int unsigned    NOT NULL DEFAULT 0,
  s_count      int unsigned    NOT NULL DEFAULT 0,
  a_count      int unsigned    NOT NULL DEFAULT 0,
  PRIMARY KEY (id, mode)
) ENGINE=InnoDB DEFAULT CHARACTER SET latin1;

CREATE TABLE tourney_pool_maps (
  map_id  int     NOT NULL,
  pool_id int     NOT NULL,
  mods    int     NOT NULL,
  slot    tinyint NOT NULL,
  PRIMARY KEY (map_id, pool_id)
) ENGINE=InnoDB DEFAULT CHARACTER SET latin1;

CREATE TABLE tourney_pools (
  id         int         NOT NULL AUTO_INCREMENT,
  name       varchar(16) NOT NULL,
  created_at datetime    NOT NULL,
  created_by int         NOT NULL,
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARACTER SET latin1;

CREATE TABLE user_achievements (
  userid int NOT NULL,
  achid  int NOT NULL,
  PRIMARY KEY (userid, achid)
) ENGINE=InnoDB DEFAULT CHARACTER SET latin1;

CREATE TABLE users (
  id                int           NOT NULL AUTO_INCREMENT,
  name              varchar(32)   CHARACTER SET utf8mb3 NOT NULL,
  safe_name         varchar(32)   CHARACTER SET utf8mb3 NOT NULL,
  email             varchar(254)  NOT NULL,
  priv              int           NOT NULL DEFAULT 1,
  pw_bcrypt         char(60)      NOT NULL,
  country           char(2)       NOT NULL DEFAULT 'xx',
  silence_end       int           NOT NULL DEFAULT 0,
  donor_end         int           NOT NULL DEFAULT 0,
  creation_time     int           NOT NULL DEFAULT 0,
  latest_activity   int           NOT NULL DEFAULT 0,
  clan_id           int           NOT NULL DEFAULT 0,
  clan_priv         tinyint(1)    NOT NULL DEFAULT 0,
  preferred_mode    int           NOT NULL DEFAULT 0,
  play_style        int           NOT NULL DEFAULT 0,
  custom_badge_name varchar(16)   CHARACTER SET utf8mb3 NULL,
  custom_badge_icon varchar(64)   NULL,
  userpage_content  varchar(2048) CHARACTER SET utf8mb3 NULL,
  api_key           char(36)      NULL,
  PRIMARY KEY (id),
  UNIQUE KEY users_api_key_uindex (api_key),
  UNIQUE KEY users_email_uindex (email),
  UNIQUE KEY users_name_uindex (name),
  UNIQUE KEY users_safe_name_uindex (safe_name)
) ENGINE=InnoDB DEFAULT CHARACTER SET latin1;

ALTER TABLE maps
  ADD INDEX maps_set_id_index (set_id),
  ADD INDEX maps_status_index (status),
  ADD INDEX maps_filename_index (filename),
  ADD INDEX maps_plays_index (plays),
  ADD INDEX maps_mode_index (mode),
  ADD INDEX maps_frozen_index (frozen);

ALTER TABLE scores
  ADD INDEX scores_map_md5_index (map_md5),
  ADD INDEX scores_score_index (score),
  ADD INDEX scores_pp_index (pp),
  ADD INDEX scores_mods_index (mods),
  ADD INDEX scores_status_index (status),
  ADD INDEX scores_mode_index (mode),
  ADD INDEX scores_play_time_index (play_time),
  ADD INDEX scores_userid_index (userid),
  ADD INDEX scores_online_checksum_index (online_checksum),
  ADD INDEX scores_fetch_leaderboard_generic_index (map_md5, status, mode);

ALTER TABLE stats
  ADD INDEX stats_mode_index (mode),
  ADD INDEX stats_pp_index (pp),
  ADD INDEX stats_tscore_index (tscore),
  ADD INDEX stats_rscore_index (rscore);

ALTER TABLE tourney_pool_maps
  ADD INDEX tourney_pool_maps_mods_slot_index (mods, slot),
  ADD INDEX tourney_pool_maps_pool_id_index (pool_id);

ALTER TABLE tourney_pools
  ADD INDEX tourney_pools_created_by_index (created_by);

ALTER TABLE user_achievements
  ADD INDEX user_achievements_achid_index (achid),
  ADD INDEX user_achievements_userid_index (userid);

ALTER TABLE users
  ADD INDEX users_priv_index (priv),
  ADD INDEX users_clan_id_index (clan_id),
  ADD INDEX users_clan_priv_index (clan_priv),
  ADD INDEX users_country_index (country);
