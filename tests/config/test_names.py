"""Names that are nearly those of settings."""

import pytest

from config.names import SETTINGS, meant_by, of_a_game_server

# Every name in the settings files of the versions of bancho.py, except those that are settings here.
OF_BANCHO_PY = """
    OSU_API_KEY MIRROR_URL MIRROR_SEARCH_ENDPOINT MIRROR_DOWNLOAD_ENDPOINT COMMAND_PREFIX SEASONAL_BGS
    MENU_ICON_URL MENU_ONCLICK_URL DATADOG_API_KEY DATADOG_APP_KEY DEBUG REDIRECT_OSU_URLS PP_CACHED_ACCS
    PP_CACHED_SCORES DISALLOWED_NAMES DISALLOWED_PASSWORDS DISALLOW_OLD_CLIENTS DISALLOW_INGAME_REGISTRATION
    DISCORD_AUDIT_LOG_WEBHOOK DISCORD_INVITE AUTOMATICALLY_REPORT_PROBLEMS LOG_WITH_COLORS TUNNEL_TOKEN
    MMD_DB_PATH SSL_CERT_PATH SSL_KEY_PATH DEVELOPER_MODE GULAG_WEB_PATH HOST_PORT MAX_MATCHES SERVER_ADDR
    SERVER_PORT
"""
OF_OTHERS = """
    PATH HOME USER LOGNAME HOSTNAME HOST PORT LANG PWD OLDPWD SHELL TERM TZ DISPLAY HTTP_PROXY https_proxy
    NO_PROXY INVOCATION_ID JOURNAL_STREAM NOTIFY_SOCKET STATE_DIRECTORY CACHE_DIRECTORY CREDENTIALS_DIRECTORY
    RUNTIME_DIRECTORY AWS_DEFAULT_REGION AWS_PROFILE AWS_ROLE_ARN AWS_WEB_IDENTITY_TOKEN_FILE
    AWS_SECURITY_TOKEN AWS_CONFIG_FILE AWS_ENDPOINT_URL_STS AWS_SESSION_EXPIRATION REDIS_PORT_6379_TCP_PORT
    REDIS_SERVICE_HOST DB_PORT_3306_TCP MYSQL_USER MYSQL_PASSWORD MYSQL_DATABASE MYSQL_TCP_PORT
    WEB_CONCURRENCY PYTHONUNBUFFERED PYTHONPATH APIDOT_ENV_FILE APIDOT_DEMO APIDOT_SHARED
    PROMETHEUS_MULTIPROC_DIR
"""


@pytest.mark.parametrize("name", [*OF_BANCHO_PY.split(), *OF_OTHERS.split(), *SETTINGS])
def test_names_that_mean_what_they_say(name: str) -> None:
    assert meant_by(name) is None


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("RATE_LIMT", "RATE_LIMIT"),
        ("TRUSTED_PROXYS", "TRUSTED_PROXIES"),
        ("TRUSTED_PROXY", "TRUSTED_PROXIES"),
        ("CORS_ORIGIN", "CORS_ORIGINS"),
        ("API_PROT", "API_PORT"),
        ("DB_HSOT", "DB_HOST"),
        ("DB_HOSTNAME", "DB_HOST"),
        ("DB_USERNAME", "DB_USER"),
        ("DB_PASSWORD", "DB_PASS"),
        ("REDIS_PASSWORD", "REDIS_PASS"),
        ("DATABSE_URL", "DATABASE_URL"),
        ("DATABASE_URI", "DATABASE_URL"),
        ("GAME_SERVER", "GAME_SERVER_URL"),
        ("DATA_DIR", "DATA_DIRECTORY"),
        ("LOGLEVEL", "LOG_LEVEL"),
        ("DOMIAN", "DOMAIN"),
        ("CAHCE", "CACHE"),
        ("db_host", "DB_HOST"),
        ("Rate_Limit", "RATE_LIMIT"),
    ],
)
def test_names_that_are_nearly_those_of_settings(name: str, meant: str) -> None:
    assert meant_by(name) == meant


def test_names_of_a_game_server() -> None:
    ours = ["DATABASE_URL", "DB_HOST", "DB_HSOT", "REDIS_DB", "APP_PORT", "SERVER_ADDR", "GAME_SERVER_URL"]
    nearly = ["DATABSE_URL", "DATA_DIR", "db_name"]
    assert of_a_game_server([*nearly, *ours, "API_PORT", "RATE_LIMT", "DEBUG", "PATH"]) == sorted([*ours, *nearly])
