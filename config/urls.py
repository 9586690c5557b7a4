"""Checks of URLs. No message shows a part of a URL, since any part may belong to a password that is not quoted."""

import errno
import re
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from config.hosts import is_host
from config.redis_sentinel import SCHEMES as SENTINELS
from config.redis_sentinel import parse_sentinel_url

MYSQL = ("mysql", "mysql+aiomysql", "mysql+asyncmy")
DATABASES = (*MYSQL, "sqlite")
REDIS = ("redis", "rediss", "unix", *SENTINELS)
REPLAYS = ("s3", "file")
WEB = ("http", "https")
# The options of a URL of Redis, with the values that are accepted.
REDIS_OPTIONS = {
    "db": r"\d{1,5}",
    "ssl_cert_reqs": "none|optional|required",
    "ssl_check_hostname": "(?i:true|false|yes|no|1|0)",
    "ssl_ca_certs": r"/[^\x00-\x1f]+",
    "ssl_certfile": r"/[^\x00-\x1f]+",
    "ssl_keyfile": r"/[^\x00-\x1f]+",
}
CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
NAME_TOO_LONG = "expected a path of at most 255 bytes for each name"


def check_url(url: str, schemes: tuple[str, ...]) -> None:
    """Raise ValueError, with a message for operators, unless it is a valid URL with one of these schemes."""
    scheme, separator, _ = url.partition("://")
    if not separator or scheme not in schemes:
        wanted = " or ".join(f"{scheme}://" for scheme in schemes if scheme not in SENTINELS)
        raise ValueError(f"expected a URL that begins with {wanted}")
    if watched := parse_sentinel_url(url):
        url = watched.redis
        scheme = url.partition("://")[0]
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError(
            "not a URL; in a user or password write @ as %40, / as %2F, # as %23, % as %25 and so on"
        ) from None
    try:
        is_plain = not CONTROL_CHARACTER.search(unquote(url.partition("?")[0], errors="strict"))
    except UnicodeDecodeError:
        is_plain = False
    if not is_plain:
        raise ValueError("after % are two digits of a character in UTF-8 that can be printed; % itself is %25")
    if parts.fragment and schemes in (REDIS, WEB):
        raise ValueError("write # as %23")
    if parts.netloc and scheme not in ("sqlite", *REPLAYS):
        if port == 0:
            raise ValueError("expected a port from 1 to 65535")
        if parts.hostname and not is_host(parts.hostname):
            raise ValueError("the host is neither a name nor an address; write [ and ] around an IPv6 address")
    if schemes in (DATABASES, MYSQL):
        _check_database(scheme, parts.netloc, parts.path)
    elif schemes is REDIS:
        _check_redis(scheme, parts.path, parts.query)
    elif schemes is WEB and not parts.hostname:
        raise ValueError("the URL has no host")
    elif schemes is REPLAYS and (
        "@" in parts.netloc or bool(parts.netloc) != (scheme == "s3") or url == "file://"
    ):
        raise ValueError("expected s3://bucket/prefix or file:///folder; keys go into AWS_ settings")
    if scheme in ("sqlite", "file") and is_too_long(Path(unquote(parts.path))):
        raise ValueError(NAME_TOO_LONG)


def is_origin(url: str) -> bool:
    """Return whether `url` consists of http:// or https://, a host and optionally a port, and nothing else."""
    try:
        check_url(url, WEB)
    except ValueError:
        return False
    parts = urlsplit(url)
    return url == f"{parts.scheme}://{parts.netloc}" and "@" not in parts.netloc


def is_too_long(path: Path) -> bool:
    """Return whether the operating system refuses the path because a name in it, or all of it, is too long."""
    try:
        path.lstat()
    except OSError as error:
        return error.errno == errno.ENAMETOOLONG
    return False


def _check_database(scheme: str, place: str, path: str) -> None:
    if scheme == "sqlite" and place:
        raise ValueError("expected sqlite:///file or, with an absolute path, sqlite:////folder/file")
    if not path.strip("/"):
        raise ValueError("the URL ends with no name of a database")


def _check_redis(scheme: str, path: str, query: str) -> None:
    if scheme == "unix" and not path.strip("/"):
        raise ValueError("expected unix:///path of a socket")
    if scheme != "unix" and not re.fullmatch(r"/?\d{0,5}", path, re.ASCII):
        raise ValueError("the URL ends with the number of a database, such as /0, or without one")
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in REDIS_OPTIONS:
            # Any other text may be part of a password that is not quoted.
            shown = f"the option {name}" if re.fullmatch(r"[a-z_]{1,40}", name) else "an option"
            raise ValueError(f"{shown} is not known; known are {', '.join(REDIS_OPTIONS)}")
        if name.startswith("ssl_") and scheme != "rediss":
            raise ValueError(f"the option {name} needs rediss://")
        if not re.fullmatch(REDIS_OPTIONS[name], value, re.ASCII):
            raise ValueError(f"the option {name} has a value that is not accepted")
