"""Every setting of the service: its name, type, default and meaning."""

from typing import Annotated, Literal
from urllib.parse import quote

import msgspec

from config.types import Networks, Secret, comma_separated, described
from domain.players import UNRESTRICTED, VISIBLE

# Addresses of a server that listens everywhere, and where to reach one that does.
EVERYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings, each named as its environment variable in lower case."""

    api_host: Annotated[str, described("address this service listens on")] = "127.0.0.1"
    api_port: Annotated[int, described("port this service listens on", ge=1, le=65535)] = 8000
    api_workers: Annotated[int, described("processes that share the port", ge=1, le=64)] = 1
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], described("how much is written to the log")
    ] = "info"
    log_format: Annotated[
        Literal["text", "json"],
        described("how it is written: text is name=value for people, json an object a line"),
    ] = "text"
    access_log: Annotated[bool, described("write a line for each request")] = True
    slow_statement: Annotated[
        float, described("seconds a statement takes whose name is written to the log; 0: none", ge=0, le=600)
    ] = 0.5
    metrics_for: Annotated[
        str, described("addresses and networks that may read /metrics; empty: nobody, and nothing is counted")
    ] = "127.0.0.0/8,::1"

    database_url: Annotated[
        Secret, described("database: mysql://, mysql+asyncmy:// or sqlite:///; wins over the DB_ settings")
    ] = Secret()
    db_dsn: Annotated[Secret, described("the older name of DATABASE_URL")] = Secret()
    db_host: Annotated[str, described("host of the MySQL or MariaDB server")] = ""
    db_port: Annotated[int, described("its port", ge=1, le=65535)] = 3306
    db_user: Annotated[str, described("its user")] = ""
    db_pass: Annotated[Secret, described("the user's password")] = Secret()
    db_name: Annotated[str, described("name of the database")] = ""
    db_pool_max: Annotated[int, described("connections at the most, in each worker", ge=1, le=1000)] = 10
    db_pool_wait: Annotated[float, described("seconds a request waits for a connection", gt=0, le=600)] = 2.0
    db_statement_timeout: Annotated[float, described("seconds a statement may run", gt=0, le=600)] = 5.0

    redis_url: Annotated[Secret, described("Redis: redis:// or rediss://; wins over the REDIS_ settings")] = (
        Secret()
    )
    redis_dsn: Annotated[Secret, described("the older name of REDIS_URL")] = Secret()
    redis_host: Annotated[str, described("host of the Redis server; empty: ranks come from the database")] = ""
    redis_port: Annotated[int, described("its port", ge=1, le=65535)] = 6379
    redis_user: Annotated[str, described("its user; used when a password is set too")] = ""
    redis_pass: Annotated[Secret, described("the user's password")] = Secret()
    redis_db: Annotated[int, described("number of the Redis database", ge=0, le=65535)] = 0
    redis_timeout: Annotated[float, described("seconds Redis may take to answer", gt=0, le=60)] = 0.5

    game_server_url: Annotated[
        str,
        described(
            "where the game server listens, such as http://127.0.0.1:10000; wins over APP_HOST and APP_PORT"
        ),
    ] = ""
    app_host: Annotated[str, described("address the game server listens on; the game server's own setting")] = ""
    app_port: Annotated[
        int, described("its port; 0: there is no game server, and nobody is online", ge=0, le=65535)
    ] = 0
    domain: Annotated[str, described("domain of the server, whose API is api.DOMAIN; example.com")] = ""
    game_server_connect_timeout: Annotated[
        float, described("seconds the game server may take to accept a connection", gt=0, le=60)
    ] = 0.3
    game_server_timeout: Annotated[
        float, described("seconds the game server may take to answer a question of this service", gt=0, le=60)
    ] = 1.0
    passthrough: Annotated[
        bool, described("pass requests for paths that this service does not serve to the game server")
    ] = True
    passthrough_timeout: Annotated[
        float, described("seconds a request passed on may take, from its first byte to its last", gt=0, le=600)
    ] = 30.0
    passthrough_max_body: Annotated[
        int, described("bytes a request passed on may bring along", ge=0, le=2**31 - 1)
    ] = 20 * 1024 * 1024

    trusted_proxies: Annotated[
        str,
        described(
            "addresses and networks of proxies whose CF-Connecting-IP, X-Forwarded-For and X-Real-IP are believed"
        ),
    ] = "127.0.0.0/8,::1"
    cors_origins: Annotated[
        str,
        described("web origins whose scripts may read answers: * for any, https://example.com, …; empty for none"),
    ] = "*"

    data_directory: Annotated[
        str, described("data folder of the game server; default: .data beside the settings file")
    ] = ""
    replays_url: Annotated[
        str, described("replays elsewhere: s3://bucket/prefix or file:///folder; default: osr in the data folder")
    ] = ""
    nginx_replays: Annotated[
        str, described("internal location of nginx that leads to the replays, such as /internal/osr/; empty: none")
    ] = ""
    aws_endpoint_url_s3: Annotated[str, described("URL of the S3 storage; wins over AWS_ENDPOINT_URL")] = ""
    aws_endpoint_url: Annotated[str, described("URL of the S3 storage; default: Amazon's")] = ""
    aws_region: Annotated[str, described("its region")] = "us-east-1"
    aws_access_key_id: Annotated[Secret, described("its key; default: what the machine's role gives")] = Secret()
    aws_secret_access_key: Annotated[Secret, described("the secret half of the key")] = Secret()
    aws_session_token: Annotated[Secret, described("the token of a key that expires")] = Secret()

    show_hidden_players: Annotated[
        bool, described("show restricted and unverified players, as older game servers do")
    ] = False
    show_client_flags: Annotated[
        bool, described("show the anticheat columns client_flags and online_checksum in get_score_info")
    ] = False
    friends_with_bot: Annotated[bool, described("list the bot in get_friends, as the game does")] = False
    strict_modes: Annotated[bool, described("refuse mode 7 instead of taking it for Autopilot")] = False
    cache: Annotated[
        bool,
        described("keep answers some seconds, a minute while the database is away; parts of lists even when off"),
    ] = True
    cache_bytes: Annotated[
        int, described("bytes of memory that kept answers may take, in each worker", ge=2**20, le=2**40)
    ] = 64 * 1024 * 1024
    compression: Annotated[bool, described("compress JSON of more than 1 KiB for clients that take it")] = True
    list_limit: Annotated[
        int,
        described(
            "rows of a list that has no limit of its own: search, clan members, pool, friends", ge=1, le=100_000
        ),
    ] = 1000

    key_failures: Annotated[
        int,
        described("wrong API keys an address may try in a minute, and uses of one wrong key", ge=1, le=100_000),
    ] = 20

    rate_limit: Annotated[
        float,
        described("requests a second that a client may go on making; 0: as many as it likes", ge=0, le=100_000),
    ] = 60.0
    rate_limit_burst: Annotated[int, described("requests a client may make at once", ge=1, le=1_000_000)] = 300
    rate_limit_exempt: Annotated[str, described("addresses and networks that are not limited; empty for none")] = (
        "127.0.0.0/8,::1"
    )

    beatmap_mirror: Annotated[
        str,
        described("where missing beatmap files come from, such as https://old.ppy.sh/osu/{id}; empty: nowhere"),
    ] = ""
    beatmap_mirror_timeout: Annotated[float, described("seconds a download may take", gt=0, le=600)] = 5.0
    pp_workers: Annotated[int, described("processes that calculate pp, for each worker", ge=1, le=64)] = 2
    pp_queue: Annotated[int, described("pp calculations that may wait for a process", ge=1, le=10_000)] = 64
    pp_timeout: Annotated[float, described("seconds a pp calculation may take", gt=0, le=600)] = 5.0
    pp_memory: Annotated[int, described("MiB of memory a pp process may take", ge=64, le=65536)] = 512
    pp_python: Annotated[
        str, described("Python that has akatsuki-pp-py, when the one of this service cannot have it")
    ] = ""

    @property
    def visible(self) -> int:
        """The privilege bits a player needs to be seen at all."""
        return 0 if self.show_hidden_players else VISIBLE

    @property
    def visible_on_boards(self) -> int:
        """The privilege bits a player needs to appear on leaderboards and boards of beatmaps."""
        return UNRESTRICTED if self.show_hidden_players else VISIBLE

    @property
    def database(self) -> Secret | None:
        """The URL of the database, None when no setting names one."""
        if self.database_url or self.db_dsn:
            return self.database_url or self.db_dsn
        if not self.db_host:
            return None
        login = f"{quote(self.db_user, safe='')}:{quote(self.db_pass, safe='')}"
        return Secret(f"mysql://{login}@{_host(self.db_host)}:{self.db_port}/{quote(self.db_name, safe='')}")

    @property
    def redis(self) -> Secret | None:
        """The URL of Redis, None when no setting names one."""
        if self.redis_url or self.redis_dsn:
            return self.redis_url or self.redis_dsn
        if not self.redis_host:
            return None
        # The game server authenticates only when it has both, so a lone password is no password.
        both = self.redis_user and self.redis_pass
        login = f"{quote(self.redis_user, safe='')}:{quote(self.redis_pass, safe='')}@" if both else ""
        return Secret(f"redis://{login}{_host(self.redis_host)}:{self.redis_port}/{self.redis_db}")

    @property
    def game_server(self) -> str | None:
        """The URL of the game server, None when no setting names one."""
        if self.game_server_url:
            return self.game_server_url.rstrip("/")
        if not self.app_port:
            return None
        return f"http://{_host(EVERYWHERE.get(self.app_host, self.app_host))}:{self.app_port}"

    @property
    def proxies(self) -> Networks:
        """The networks of TRUSTED_PROXIES. Raises ValueError."""
        return Networks(self.trusted_proxies)

    @property
    def metrics_readers(self) -> Networks:
        """The networks of METRICS_FOR. Raises ValueError."""
        return Networks(self.metrics_for)

    @property
    def unlimited(self) -> Networks:
        """The networks of RATE_LIMIT_EXEMPT. Raises ValueError."""
        return Networks(self.rate_limit_exempt)

    @property
    def origins(self) -> list[str]:
        """The origins of CORS_ORIGINS, as browsers write them."""
        return [each.lower().rstrip("/") for each in comma_separated(self.cors_origins)]


def _host(host: str) -> str:
    return f"[{host}]" if ":" in host else host
