"""Every setting of the service: name, type, limits, default and meaning. docs/settings.md is generated from it."""

from typing import Annotated, Literal
from urllib.parse import quote

import msgspec

from config.types import Networks, Secret, comma_separated, described
from domain.players import UNRESTRICTED, VISIBLE

# Wildcard addresses of a listening server -> the address of this machine at which to connect to it.
EVERYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings. Each is named like its environment variable, in lower case."""

    api_host: Annotated[str, described("Address to listen on.", heading="Listening")] = "127.0.0.1"
    api_port: Annotated[int, described("Port to listen on.", ge=1, le=65535)] = 8000
    api_workers: Annotated[int, described("Number of worker processes, which share the port.", ge=1, le=64)] = 1

    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        described("Lowest severity that is logged.", heading="Log and metrics"),
    ] = "info"
    log_format: Annotated[
        Literal["text", "json"],
        described("Format of the log. text: name=value pairs. json: one JSON object per line."),
    ] = "text"
    access_log: Annotated[bool, described("Log a line for each request.")] = True
    slow_statement: Annotated[
        float,
        described(
            "Seconds after which a database statement is logged as slow, by its name. 0: never.", ge=0, le=600
        ),
    ] = 0.5
    metrics_for: Annotated[
        str,
        described(
            "Addresses and networks that may read /metrics, separated by commas."
            " Empty: none, and no metrics are collected."
        ),
    ] = "127.0.0.0/8,::1"

    database_url: Annotated[
        Secret,
        described(
            "URL of the database: mysql://, mysql+aiomysql://, mysql+asyncmy:// or sqlite:///."
            " Takes precedence over the DB_ settings.",
            heading="Database",
        ),
    ] = Secret()
    db_dsn: Annotated[Secret, described("Older name of DATABASE_URL.")] = Secret()
    db_host: Annotated[
        str,
        described("Host of the MySQL or MariaDB server. Empty, without DATABASE_URL: the demo world is served."),
    ] = ""
    db_port: Annotated[int, described("Port of the MySQL or MariaDB server.", ge=1, le=65535)] = 3306
    db_user: Annotated[str, described("User of the database.")] = ""
    db_pass: Annotated[Secret, described("Password of the database user.")] = Secret()
    db_name: Annotated[str, described("Name of the database. Required if DB_HOST is set.")] = ""
    db_pool_max: Annotated[
        int, described("Maximum number of database connections of each worker.", ge=1, le=1000)
    ] = 10
    db_pool_wait: Annotated[
        float, described("Seconds a request waits for a free database connection.", gt=0, le=600)
    ] = 2.0
    db_statement_timeout: Annotated[float, described("Seconds a database statement may run.", gt=0, le=600)] = 5.0

    redis_url: Annotated[
        Secret,
        described(
            "URL of Redis: redis://, rediss:// or unix://. Takes precedence over the REDIS_ settings.",
            heading="Redis",
        ),
    ] = Secret()
    redis_dsn: Annotated[Secret, described("Older name of REDIS_URL.")] = Secret()
    redis_host: Annotated[
        str,
        described("Host of the Redis server. Empty, without REDIS_URL: ranks are calculated from the database."),
    ] = ""
    redis_port: Annotated[int, described("Port of the Redis server.", ge=1, le=65535)] = 6379
    redis_user: Annotated[str, described("User of Redis. Used only if REDIS_PASS is set too.")] = ""
    redis_pass: Annotated[Secret, described("Password of the Redis user. Used only if REDIS_USER is set too.")] = (
        Secret()
    )
    redis_db: Annotated[int, described("Number of the Redis database.", ge=0, le=65535)] = 0
    redis_timeout: Annotated[float, described("Seconds Redis may take to respond.", gt=0, le=60)] = 0.5

    game_server_url: Annotated[
        str,
        described(
            "URL of the game server, such as http://127.0.0.1:10000. Takes precedence over APP_HOST and APP_PORT.",
            heading="Game server",
        ),
    ] = ""
    app_host: Annotated[
        str, described("Address the game server listens on. Empty or a wildcard (0.0.0.0, ::): this machine.")
    ] = ""
    app_port: Annotated[
        int,
        described(
            "Port the game server listens on. 0, without GAME_SERVER_URL: no game server, and nobody is online.",
            ge=0,
            le=65535,
        ),
    ] = 0
    domain: Annotated[
        str,
        described(
            "Domain of the game server, such as example.com."
            " Requests to the game server are sent with host names below it."
            " Empty: forwarded requests keep their host name."
        ),
    ] = ""
    game_server_connect_timeout: Annotated[
        float, described("Seconds the game server may take to accept a connection.", gt=0, le=60)
    ] = 0.3
    game_server_timeout: Annotated[
        float, described("Seconds the game server may take to respond with live data.", gt=0, le=60)
    ] = 1.0
    passthrough: Annotated[
        bool, described("Forward requests for paths that apidot does not serve to the game server.")
    ] = True
    passthrough_timeout: Annotated[
        float, described("Seconds a forwarded request may take until the end of its response.", gt=0, le=600)
    ] = 30.0
    passthrough_max_body: Annotated[
        int, described("Maximum size of the body of a forwarded request, in bytes.", ge=0, le=2**31 - 1)
    ] = 20 * 1024 * 1024

    trusted_proxies: Annotated[
        str,
        described(
            "Addresses and networks of trusted proxies, separated by commas. Only their CF-Connecting-IP,"
            " X-Forwarded-For, X-Real-IP and X-Request-ID headers are used.",
            heading="Proxies and CORS",
        ),
    ] = "127.0.0.0/8,::1"
    cors_origins: Annotated[
        str,
        described(
            "Web origins whose scripts may read responses, such as https://example.com, separated by commas."
            " *: any origin. Empty: none."
        ),
    ] = "*"

    data_directory: Annotated[
        str,
        described(
            "Data folder of the game server; a relative path starts at the folder of the settings file."
            " Empty: .data in that folder.",
            heading="Files and replays",
        ),
    ] = ""
    replays_url: Annotated[
        str,
        described("Location of the replays: s3://bucket/prefix or file:///folder. Empty: osr in the data folder."),
    ] = ""
    nginx_replays: Annotated[
        str,
        described(
            "Internal location of nginx that contains the replay folder, such as /internal/osr/."
            " nginx then sends the replays that are sent exactly as stored. Empty: apidot sends all replays."
        ),
    ] = ""
    aws_endpoint_url_s3: Annotated[
        str, described("URL of the S3-compatible storage. Takes precedence over AWS_ENDPOINT_URL.")
    ] = ""
    aws_endpoint_url: Annotated[str, described("URL of the S3-compatible storage. Empty: Amazon S3.")] = ""
    aws_region: Annotated[str, described("Region of the S3 storage.")] = "us-east-1"
    aws_access_key_id: Annotated[
        Secret, described("Access key id for the S3 storage. Empty: credentials of the machine's role.")
    ] = Secret()
    aws_secret_access_key: Annotated[Secret, described("Secret access key for the S3 storage.")] = Secret()
    aws_session_token: Annotated[Secret, described("Session token of a temporary access key.")] = Secret()

    show_hidden_players: Annotated[
        bool,
        described(
            "Show restricted and unverified players, as older game servers do."
            " Leaderboards omit restricted players in any case.",
            heading="Visibility",
        ),
    ] = False
    show_client_flags: Annotated[
        bool, described("Include the anticheat columns client_flags and online_checksum in get_score_info.")
    ] = False
    friends_with_bot: Annotated[bool, described("Include the bot in get_friends, as the game does.")] = False
    strict_modes: Annotated[bool, described("Reject mode 7 instead of treating it as Autopilot (mode 8).")] = False
    list_limit: Annotated[
        int,
        described(
            "Maximum number of rows in lists that have no limit parameter:"
            " search results, clan members, beatmaps of a pool, friends.",
            ge=1,
            le=100_000,
        ),
    ] = 1000

    cache: Annotated[
        bool,
        described(
            "Cache responses for one to five seconds, and for up to a minute while the database is unavailable."
            " Some parts of lists are cached even if this is off.",
            heading="Cache",
        ),
    ] = True
    cache_bytes: Annotated[
        int, described("Maximum memory for cached responses in each worker, in bytes.", ge=2**20, le=2**40)
    ] = 64 * 1024 * 1024
    compression: Annotated[bool, described("Compress JSON of more than 1 KiB for clients that accept it.")] = True

    rate_limit: Annotated[
        float,
        described(
            "Requests per second that a client may send on average, at least 0.01. 0: no limit.",
            heading="Rate limits",
            ge=0,
            le=100_000,
        ),
    ] = 60.0
    rate_limit_burst: Annotated[int, described("Requests a client may send at once.", ge=1, le=1_000_000)] = 300
    rate_limit_exempt: Annotated[
        str, described("Addresses and networks that are not limited, separated by commas. Empty: none.")
    ] = "127.0.0.0/8,::1"
    key_failures: Annotated[
        int,
        described(
            "Number of different wrong API keys that an address may try per minute,"
            " and of requests per minute with the same wrong key.",
            ge=1,
            le=100_000,
        ),
    ] = 20

    beatmap_mirror: Annotated[
        str,
        described(
            "URL from which missing beatmap files are downloaded, such as https://old.ppy.sh/osu/{id}."
            " Empty: they are not downloaded.",
            heading="pp",
        ),
    ] = ""
    beatmap_mirror_timeout: Annotated[
        float, described("Seconds the download of a beatmap file may take.", gt=0, le=600)
    ] = 5.0
    pp_workers: Annotated[
        int, described("Number of processes that calculate pp, for each worker.", ge=1, le=64)
    ] = 2
    pp_queue: Annotated[
        int,
        described("Maximum number of pp calculations that wait for a process, in each worker.", ge=1, le=10_000),
    ] = 64
    pp_timeout: Annotated[
        float, described("Seconds a pp calculation may take, and may wait for a process.", gt=0, le=600)
    ] = 5.0
    pp_memory: Annotated[int, described("Maximum memory of a pp process, in MiB.", ge=64, le=65536)] = 512
    pp_python: Annotated[
        str, described("Python interpreter that has akatsuki-pp-py installed. Empty: the interpreter of apidot.")
    ] = ""

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
        return Secret(f"mysql://{login}@{_host(self.db_host)}:{self.db_port}/{quote(self.db_name, safe='')}")

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
        return Secret(f"redis://{login}{_host(self.redis_host)}:{self.redis_port}/{self.redis_db}")

    @property
    def game_server(self) -> str | None:
        """The URL of the game server, or None if no game server is configured."""
        if self.game_server_url:
            return self.game_server_url.rstrip("/")
        if not self.app_port:
            return None
        return f"http://{_host(EVERYWHERE.get(self.app_host, self.app_host))}:{self.app_port}"

    @property
    def proxies(self) -> Networks:
        """The networks in TRUSTED_PROXIES. Raise ValueError."""
        return Networks(self.trusted_proxies)

    @property
    def metrics_readers(self) -> Networks:
        """The networks in METRICS_FOR. Raise ValueError."""
        return Networks(self.metrics_for)

    @property
    def unlimited(self) -> Networks:
        """The networks in RATE_LIMIT_EXEMPT. Raise ValueError."""
        return Networks(self.rate_limit_exempt)

    @property
    def origins(self) -> list[str]:
        """The origins in CORS_ORIGINS, in the form in which browsers send them."""
        return [origin.lower().rstrip("/") for origin in comma_separated(self.cors_origins)]


def _host(host: str) -> str:
    return f"[{host}]" if ":" in host else host
