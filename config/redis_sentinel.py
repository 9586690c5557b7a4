"""URLs of a Redis that sentinels watch: redis+sentinel://user:password@host:port,host:port/service/database."""

from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlencode

from config.hosts import in_url, parse_host

# By scheme, that of the Redis itself.
SCHEMES = {"redis+sentinel": "redis", "rediss+sentinel": "rediss"}
PORT = 26379
# How this service logs in at the sentinels. The user and the password before the hosts are for Redis.
OPTIONS = {"sentinel_username": "username", "sentinel_password": "password"}


class SentinelURL(NamedTuple):
    """Where the sentinels are, and which Redis they tell about.

    `redis` is a URL of the Redis with the first sentinel in place of its host. `login` has the arguments
    `username` and `password` for the sentinels.
    """

    sentinels: list[tuple[str, int]]
    service: str
    redis: str
    login: dict[str, str]


def parse_sentinel_url(url: str) -> SentinelURL | None:
    """Return the parts of a URL, None if it is that of a Redis without sentinels.

    Raise ValueError, with a message for operators, if it is not valid.
    """
    scheme, _, rest = url.partition("://")
    if scheme not in SCHEMES:
        return None
    place, _, query = rest.partition("?")
    authority, _, path = place.partition("/")
    login, at, hosts = authority.rpartition("@")
    service, _, database = path.partition("/")
    try:
        sentinels = [(host.name, host.port or PORT) for host in map(parse_host, hosts.split(","))]
    except ValueError:
        raise ValueError(
            f"sentinels are hosts with or without a port, separated by commas; without one, it is {PORT}"
        ) from None
    if not service:
        raise ValueError("the name of the service that the sentinels watch is missing: …@host:26379/service/0")
    options = parse_qsl(query, keep_blank_values=True)
    others = urlencode([(name, value) for name, value in options if name not in OPTIONS])
    name, port = sentinels[0]
    redis = f"{SCHEMES[scheme]}://{login}{at}{in_url(name)}:{port}/{database}" + (f"?{others}" if others else "")
    mine = {OPTIONS[option]: value for option, value in options if option in OPTIONS}
    return SentinelURL(sentinels, unquote(service), redis, mine)
