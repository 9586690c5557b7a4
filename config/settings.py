"""Every setting of the service: name, type, limits, default and meaning. docs/settings.md is generated from it."""

from dataclasses import Field, dataclass, fields
from datetime import tzinfo
from typing import Any, Literal
from urllib.parse import quote
from zoneinfo import ZoneInfo

from config.addresses import url_of
from config.hosts import in_url
from config.types import Encryption, Secret, comma_separated, setting
from domain.players import UNRESTRICTED, VISIBLE


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings. Each is named like its environment variable, in lower case."""

    api_host: str = setting(
        "127.0.0.1",
        "Address to listen on. 0.0.0.0 stands for all IPv4 addresses, :: for all IPv4 and IPv6 addresses.",
        heading="Listening",
    )
    api_port: int = setting(8000, "Port to listen on.", ge=1, le=65535)
    api_workers: int = setting(1, "Number of worker processes, which share the port.", ge=1, le=64)
    watchdog: float = setting(
        10.0,
        "Seconds without progress after which a worker ends itself with exit code 70, so that it is started again."
        " 0: never.",
        ge=0,
        le=3600,
    )

    log_level: Literal["debug", "info", "warning", "error"] = setting(
        "info", "Lowest severity that is logged.", heading="Log and metrics"
    )
    log_format: Literal["text", "json"] = setting(
        "text", "Format of the log. text: name=value pairs. json: one JSON object per line."
    )
    access_log: bool = setting(True, "Log a line for each request.")
    slow_statement: float = setting(
        0.5, "Seconds after which a database statement is logged as slow, by its name. 0: never.", ge=0, le=600
    )
    metrics_for: str = setting(
        "127.0.0.0/8,::1",
        "Addresses and networks that may read /metrics, separated by commas."
        " Empty: none, and no metrics are collected.",
    )

    database_url: Secret = setting(
        Secret(),
        "URL of the database: mysql://, mysql+aiomysql://, mysql+asyncmy:// or sqlite:///."
        " Takes precedence over DB_HOST, DB_PORT, DB_USER, DB_PASS and DB_NAME. It may end with options, such as"
        " ?ssl=required, ?ssl_ca=/path or ?unix_socket=/path.",
        heading="Database",
    )
    db_dsn: Secret = setting(Secret(), "Older name of DATABASE_URL.")
    db_host: str = setting(
        "", "Host of the MySQL or MariaDB server, perhaps with a port, or the path of its Unix socket."
    )
    db_port: int = setting(3306, "Port of the MySQL or MariaDB server.", ge=1, le=65535)
    db_user: str = setting("", "User of the database.")
    db_pass: Secret = setting(Secret(), "Password of the database user.")
    db_name: str = setting("", "Name of the database. Required if DB_HOST is set.")
    db_ssl: Encryption = setting(
        "off",
        "Encryption of the connections to the database server. preferred: if the server offers it."
        " required: always, with any certificate. verify: always, with a valid certificate for the host."
        " off: never.",
    )
    db_ssl_ca: str = setting(
        "",
        "PEM file with the certificates of the authorities that may sign the database server's certificate;"
        " a relative path starts at the folder of the settings file. Without DB_SSL, it means DB_SSL=verify."
        " Empty: the authorities that this machine trusts.",
    )
    db_use_ssl: bool = setting(
        False, "bancho.py's setting. true: the same as DB_SSL=preferred, if neither DB_SSL nor DB_SSL_CA is set."
    )
    db_pool_max: int = setting(10, "Maximum number of database connections of each worker.", ge=1, le=1000)
    db_pool_wait: float = setting(2.0, "Seconds a request waits for a free database connection.", gt=0, le=600)
    db_statement_timeout: float = setting(5.0, "Seconds a database statement may run.", gt=0, le=600)

    db_connection_max_age: float = setting(
        600.0,
        "Seconds after which a database connection is closed and another one opened, so that a balancer or a host"
        " name that leads to another server is followed. 0: never.",
        ge=0,
        le=86_400,
    )

    database_replica_url: Secret = setting(
        Secret(),
        "URLs of replicas of the database, separated by commas, each like DATABASE_URL without options. Most reads"
        " go to them while they are close enough behind. The other settings of the database count for them too.",
        heading="Replicas",
    )
    replica_max_lag: float = setting(
        5.0, "Seconds that a replica may be behind. One that does not tell is not used.", ge=0, le=3600
    )

    redis_url: Secret = setting(
        Secret(),
        "URL of Redis: redis://, rediss:// or unix://, or of sentinels that watch it:"
        " redis+sentinel://user:password@host1:26379,host2:26379/service/0 (rediss+sentinel:// with TLS)."
        " Takes precedence over the REDIS_ settings.",
        heading="Redis",
    )
    redis_dsn: Secret = setting(Secret(), "Older name of REDIS_URL.")
    redis_host: str = setting(
        "",
        "Host of the Redis server, perhaps with a port, or the path of its Unix socket."
        " Empty, without REDIS_URL: ranks are calculated from the database.",
    )
    redis_port: int = setting(6379, "Port of the Redis server.", ge=1, le=65535)
    redis_user: str = setting("", "User of Redis. Used only if REDIS_PASS is set too.")
    redis_pass: Secret = setting(Secret(), "Password of the Redis user. Used only if REDIS_USER is set too.")
    redis_db: int = setting(0, "Number of the Redis database.", ge=0, le=65535)
    redis_timeout: float = setting(
        0.5, "Seconds Redis may take to respond, connecting and logging in included.", gt=0, le=60
    )

    game_server_url: str = setting(
        "",
        "URL of the game server, such as http://127.0.0.1:10000, or unix:/tmp/bancho.sock for a socket."
        " Takes precedence over APP_HOST and APP_PORT.",
        heading="Game server",
    )
    app_host: str = setting(
        "",
        "Address the game server listens on, or the path of its Unix socket, such as /tmp/bancho.sock."
        " Empty or a wildcard (0.0.0.0, ::): this machine.",
    )
    app_port: int = setting(
        0,
        "Port the game server listens on. 0, without GAME_SERVER_URL and a socket: no game server, and nobody is"
        " online.",
        ge=0,
        le=65535,
    )
    server_addr: str = setting("", "Older name of APP_HOST.")
    server_port: int = setting(0, "Older name of APP_PORT.", ge=0, le=65535)
    domain: str = setting(
        "",
        "Domain of the game server, such as example.com."
        " Requests to the game server are sent with host names below it."
        " Empty: forwarded requests keep their host name.",
    )
    game_server_connect_timeout: float = setting(
        0.3, "Seconds the game server may take to accept a connection.", gt=0, le=60
    )
    game_server_timeout: float = setting(
        1.0, "Seconds the game server may take to respond with live data.", gt=0, le=60
    )
    passthrough: bool = setting(True, "Forward requests for paths that apidot does not serve to the game server.")
    learn_fork: bool = setting(
        True,
        "Read the game server's own /openapi.json, and forward requests for what only it declares:"
        " more parameters, values, methods or paths than apidot has.",
    )
    pass_on: str = setting(
        "",
        "Further paths that are forwarded although apidot serves them, separated by commas,"
        " such as /v1/get_leaderboard,/v2/players/{player_id}/scores.",
    )
    passthrough_timeout: float = setting(
        30.0, "Seconds a forwarded request may take until the end of its response.", gt=0, le=600
    )
    passthrough_max_body: int = setting(
        20 * 1024 * 1024, "Maximum size of the body of a forwarded request, in bytes.", ge=0, le=2**31 - 1
    )

    trusted_proxies: str = setting(
        "127.0.0.0/8,::1",
        "Addresses and networks of trusted proxies, separated by commas. Only they are believed about the client's"
        " address and the request id in X-Request-ID.",
        heading="Proxies and CORS",
    )
    client_address_header: str = setting(
        "X-Forwarded-For",
        "Header in which trusted proxies send the client's address. Every other header with an address is ignored."
        " Name one only if the proxy sets it in each request, and never passes on what a client sent."
        " X-Forwarded-For may list several addresses, others, such as CF-Connecting-IP or X-Real-IP, have one.",
    )
    cors_origins: str = setting(
        "*",
        "Web origins whose scripts may read responses, such as https://example.com, separated by commas."
        " *: any origin. Empty: none.",
    )

    data_directory: str = setting(
        "",
        "Data folder of the game server; a relative path starts at the folder of the settings file."
        " Empty: .data in that folder.",
        heading="Files and replays",
    )
    time_zone: str = setting(
        "",
        "Time zone of the game server, such as Asia/Tokyo, for times in downloaded replays, in Unix seconds"
        " and in UTC."
        " Empty: that of this machine.",
    )
    replays_url: str = setting(
        "", "Location of the replays: s3://bucket/prefix or file:///folder. Empty: osr in the data folder."
    )
    nginx_replays: str = setting(
        "",
        "Internal location of nginx that contains the replay folder, such as /internal/osr/."
        " nginx then sends the replays that are sent exactly as stored. Empty: apidot sends all replays.",
    )
    aws_endpoint_url_s3: str = setting(
        "", "URL of the S3-compatible storage. Takes precedence over AWS_ENDPOINT_URL."
    )
    aws_endpoint_url: str = setting("", "URL of the S3-compatible storage. Empty: Amazon S3.")
    aws_region: str = setting("us-east-1", "Region of the S3 storage.")
    aws_access_key_id: Secret = setting(
        Secret(), "Access key id for the S3 storage. Empty: credentials of the machine's role."
    )
    aws_secret_access_key: Secret = setting(Secret(), "Secret access key for the S3 storage.")
    aws_session_token: Secret = setting(Secret(), "Session token of a temporary access key.")

    show_hidden_players: bool = setting(
        False,
        "Show restricted and unverified players, as older game servers do."
        " Leaderboards omit restricted players in any case.",
        heading="Visibility",
    )
    show_client_flags: bool = setting(
        False, "Include the anticheat columns client_flags and online_checksum in get_score_info."
    )
    friends_with_bot: bool = setting(False, "Include the bot in get_friends, as the game does.")
    strict_modes: bool = setting(False, "Reject mode 7 instead of treating it as Autopilot (mode 8).")
    list_limit: int = setting(
        1000,
        "Maximum number of rows in lists that have no limit parameter:"
        " search results, clan members, beatmaps of a pool, friends.",
        ge=1,
        le=100_000,
    )

    osu_api_v1: bool = setting(
        True,
        "Serve the osu! API v1 too: get_user, get_user_best, get_user_recent, get_scores, get_beatmaps, get_replay"
        " and get_match, for bots and programs that are written for it. false: forward requests for them.",
        heading="osu! API v1",
    )
    osu_api_v1_key: Literal["optional", "required"] = setting(
        "optional",
        "Whether requests to the osu! API v1 need a player's API key of this server as the parameter k."
        " optional: without one, and with one of osu!, they are answered too.",
    )

    cache: bool = setting(
        True,
        "Cache responses for one to five seconds, and for up to a minute while the database is unavailable."
        " Some parts of lists are cached even if this is off.",
        heading="Cache",
    )
    cache_bytes: int = setting(
        64 * 1024 * 1024, "Maximum memory for cached responses in each worker, in bytes.", ge=2**20, le=2**40
    )
    compression: bool = setting(True, "Compress JSON of more than 1 KiB for clients that accept it.")

    rate_limit: float = setting(
        60.0,
        "Requests per second that a client may send on average, at least 0.01. 0: no limit.",
        heading="Rate limits",
        ge=0,
        le=100_000,
    )
    rate_limit_burst: int = setting(300, "Requests a client may send at once.", ge=1, le=1_000_000)
    rate_limit_exempt: str = setting(
        "127.0.0.0/8,::1", "Addresses and networks that are not limited, separated by commas. Empty: none."
    )
    key_failures: int = setting(
        20,
        "Number of different wrong API keys that an address may try per minute,"
        " and of requests per minute with the same wrong key.",
        ge=1,
        le=100_000,
    )

    event_streams: int = setting(
        1000,
        "Maximum number of streams of live events that each worker has open. Clients that connect again may use"
        " twice as many.",
        heading="Live events",
        ge=1,
        le=100_000,
    )
    event_streams_per_client: int = setting(
        4,
        "Maximum number of streams of live events that each worker has open to one client, twice as many for one"
        " that connects again.",
        ge=1,
        le=100_000,
    )

    beatmap_mirror: str = setting(
        "",
        "URL from which missing beatmap files are downloaded, such as https://old.ppy.sh/osu/{id}."
        " Empty: they are not downloaded.",
        heading="pp",
    )
    beatmap_mirror_timeout: float = setting(5.0, "Seconds the download of a beatmap file may take.", gt=0, le=600)
    pp_workers: int = setting(2, "Number of processes that calculate pp, for each worker.", ge=1, le=64)
    pp_queue: int = setting(
        64, "Maximum number of pp calculations that wait for a process, in each worker.", ge=1, le=10_000
    )
    pp_timeout: float = setting(
        5.0, "Seconds a pp calculation may take, and may wait for a process.", gt=0, le=600
    )
    pp_memory: int = setting(512, "Maximum memory of a pp process, in MiB.", ge=64, le=65536)
    pp_python: str = setting(
        "",
        "Python interpreter that has akatsuki-pp-py installed. Empty: that of .venv-pp, which `make install` makes"
        " with CPython 3.11, or without .venv-pp, that of apidot.",
    )

    image_timeout: float = setting(
        5.0,
        "Seconds the decoding of an avatar may take, and may wait for one of the two processes that decode.",
        heading="Avatars",
        gt=0,
        le=600,
    )
    image_memory: int = setting(512, "Maximum memory of a process that decodes avatars, in MiB.", ge=128, le=65536)

    # Not settings: what the operator should know about how the settings were read, in sentences, and what looks
    # like a setting and is not used.
    notes: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    # Nor this: an API key that everybody may know. Empty, except in the demo world.
    demo_key: str = ""

    @property
    def visible(self) -> int:
        """The privilege bits a player needs to be shown at all."""
        return 0 if self.show_hidden_players else VISIBLE

    @property
    def visible_on_boards(self) -> int:
        """The privilege bits a player needs to be shown on leaderboards, those of beatmaps included."""
        return UNRESTRICTED if self.show_hidden_players else VISIBLE

    @property
    def database(self) -> Secret | None:
        """The URL of the database, or None if no database is configured."""
        if self.database_url or self.db_dsn:
            return self.database_url or self.db_dsn
        if not self.db_host:
            return None
        login = f"{quote(self.db_user, safe='')}:{quote(self.db_pass, safe='')}"
        name = quote(self.db_name, safe="")
        if self.db_host.startswith("/"):
            return Secret(f"mysql://{login}@/{name}?unix_socket={quote(self.db_host)}")
        return Secret(f"mysql://{login}@{in_url(self.db_host)}:{self.db_port}/{name}")

    @property
    def replicas(self) -> list[Secret]:
        """The URLs of the database's replicas."""
        return [Secret(url) for url in comma_separated(self.database_replica_url)]

    @property
    def redis(self) -> Secret | None:
        """The URL of Redis, or None if no Redis is configured."""
        if self.redis_url or self.redis_dsn:
            return self.redis_url or self.redis_dsn
        if not self.redis_host:
            return None
        # Like the game server, which authenticates only if it has both a user and a password.
        both = self.redis_user and self.redis_pass
        login = f"{quote(self.redis_user, safe='')}:{quote(self.redis_pass, safe='')}@" if both else ""
        if self.redis_host.startswith("/"):
            return Secret(f"unix://{login}{quote(self.redis_host)}?db={self.redis_db}")
        return Secret(f"redis://{login}{in_url(self.redis_host)}:{self.redis_port}/{self.redis_db}")

    @property
    def game_server(self) -> str | None:
        """The URL of the game server, which is unix: and a path for a socket; None if none is configured."""
        if self.game_server_url:
            return url_of(self.game_server_url, 0)
        return url_of(self.app_host or self.server_addr, self.app_port or self.server_port)

    @property
    def passes_on(self) -> bool:
        """Whether requests are forwarded to the game server."""
        return self.passthrough and self.game_server is not None

    @property
    def zone(self) -> tzinfo | None:
        """The time zone of the game server, None for that of this machine."""
        return ZoneInfo(self.time_zone) if self.time_zone else None

    @property
    def origins(self) -> list[str]:
        """The origins in CORS_ORIGINS, in the form in which browsers send them."""
        return [origin.lower().rstrip("/") for origin in comma_separated(self.cors_origins)]


def all_settings() -> list[Field[Any]]:
    """Return the field of each setting."""
    return [field for field in fields(Settings) if field.metadata]
