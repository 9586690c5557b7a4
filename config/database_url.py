"""The options of a database URL, such as ?ssl=required, most of which mean the same as a setting."""

import re
from urllib.parse import parse_qsl, quote, urlsplit

# The words of MySQL, PostgreSQL and DB_SSL, and the values of DB_SSL that mean the same.
SSL_MODES = {
    **dict.fromkeys(("disabled", "disable", "off"), "off"),
    **dict.fromkeys(("preferred", "prefer"), "preferred"),
    **dict.fromkeys(("required", "require"), "required"),
    **dict.fromkeys(("verify_identity", "verify_full", "verify"), "verify"),
}
# ssl=true has always verified the certificate with mysql:// URLs.
SSL = SSL_MODES | dict.fromkeys(("true", "1", "yes", "on"), "verify") | dict.fromkeys(("false", "0", "no"), "off")
WORDS = {"ssl": SSL, "sslmode": SSL_MODES, "ssl_mode": SSL_MODES}
KNOWN = ("charset", "max_size", "ssl", "ssl_ca", "sslmode", "unix_socket")


def read_options(url: str) -> tuple[str, dict[str, str]]:
    """Return the URL without the options that are settings, and these settings, lower-case names to values.

    Raise ValueError for an option that is unknown, has a bad value or contradicts another one. The text has no
    secret in it.
    """
    parts = urlsplit(url)
    options = parse_qsl(parts.query, keep_blank_values=True)
    if "@" in parts.query or parts.fragment:
        # A part of the password would be shown as the name of an option.
        raise ValueError("not a URL; in a user or password write ? as %3F, # as %23, @ as %40 and so on")
    settings: dict[str, str] = {}
    socket = ""
    for given, value in options:
        name = given.lower().replace("-", "_")
        if not value.isprintable():
            raise ValueError(f"{_shown(given)} has a character that cannot be printed")
        if name not in {*KNOWN, *WORDS} or parts.scheme == "sqlite":
            raise ValueError(_unknown(given, parts.scheme))
        if name == "unix_socket":
            if socket or not value.startswith("/"):
                raise ValueError("unix_socket takes one absolute path")
            socket = value
        elif name == "charset":
            if value.lower() != "utf8mb4":
                raise ValueError("expected charset=utf8mb4, which is used in any case")
        else:
            setting, meaning = _setting(name, value)
            if settings.setdefault(setting, meaning) != meaning:
                raise ValueError(f"the option {given} contradicts another one")
    query = f"?unix_socket={quote(socket)}" if socket else ""
    return url.partition("?")[0] + query, settings


def _setting(name: str, value: str) -> tuple[str, str]:
    """Return the setting, and its value, that an option means."""
    if name == "max_size":
        return "db_pool_max", value
    if name == "ssl_ca":
        if not value:
            raise ValueError("ssl_ca takes the path of a file")
        return "db_ssl_ca", value
    meaning = WORDS[name].get(value.lower().replace("-", "_"))
    if meaning is None:
        accepted = "disabled, preferred, required or verify_identity"
        raise ValueError(f"{name} takes {'true, false, ' if name == 'ssl' else ''}{accepted}")
    return "db_ssl", meaning


def _unknown(name: str, scheme: str) -> str:
    known = "a SQLite file takes none" if scheme == "sqlite" else f"known are {', '.join(KNOWN)}"
    return f"{_shown(name)} is not known; {known}"


def _shown(name: str) -> str:
    # Any other text may be part of a password that is not quoted.
    return f"the option {name}" if re.fullmatch(r"[A-Za-z0-9_.-]{1,40}", name) else "an option"
