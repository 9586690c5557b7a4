"""Wrong settings: the line that `serve` and `check` print about each, and that nothing is served or written."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, Run
from tests.support.processes import free_port

# A password that no output may contain.
SECRET = "geh3im"
DATABASE = {"DB_HOST": "127.0.0.1", "DB_USER": "u", "DB_NAME": "n"}
PORT = "expected a whole number from 1 to 65535"
HOST = "expected a host name or an address, perhaps with a port"
NETWORKS = "expected addresses and networks"
ORIGINS = "expected * or origins such as https://example.com"
GAME_SERVER = "expected http:// or https://, a host and perhaps a port"
NO_URL = "not a URL; in a user or password write @ as %40"
S3 = "expected s3://bucket/prefix or file:///folder"
WRONG: list[tuple[dict[str, str], str]] = [
    ({"API_HOST": "*"}, f"API_HOST='*': {HOST}"),
    ({"API_HOST": "/run/apidot.sock"}, f"API_HOST='/run/apidot.sock': {HOST}"),
    ({"API_HOST": "0.0.0.0:80", "API_PORT": "8000"}, "API_HOST='0.0.0.0:80': it names another port than API_PORT"),
    ({"API_PORT": "http"}, f"API_PORT='http': {PORT}"),
    ({"API_PORT": "tcp://10.0.0.1:80"}, f"API_PORT='tcp://10.0.0.1:80': {PORT}"),
    ({"API_WORKERS": "auto"}, "API_WORKERS='auto': expected a whole number from 1 to 64"),
    ({"LOG_LEVEL": "loud"}, "LOG_LEVEL='loud': expected one of debug, info, warning, error"),
    ({"LOG_FORMAT": "xml"}, "LOG_FORMAT='xml': expected one of text, json"),
    ({"ACCESS_LOG": "nope"}, "ACCESS_LOG='nope': expected true or false"),
    ({"SLOW_STATEMENT": "500ms"}, "SLOW_STATEMENT='500ms': expected a number from 0 to 600"),
    ({"METRICS_FOR": "localhost"}, f"METRICS_FOR='localhost': {NETWORKS}"),
    ({"DATABASE_URL": ""}, "no database is configured: DATABASE_URL, or DB_HOST, DB_USER, DB_NAME, is missing; "),
    ({"DATABASE_URL": f"postgres://u:{SECRET}@h/n"}, "DATABASE_URL: expected a URL that begins with mysql:// or "),
    ({"DATABASE_URL": f"mysql://u:{SECRET}/1@h/n"}, f"DATABASE_URL: {NO_URL}"),
    ({"DATABASE_URL": f"mysql://u:{SECRET}#1@h/n"}, "DATABASE_URL: "),
    ({"DATABASE_URL": f"mysql://u:{SECRET}@h"}, "DATABASE_URL: the URL ends with no name of a database"),
    ({"DATABASE_URL": f"mysql://u:{SECRET}@a..b/n"}, "DATABASE_URL: the host is neither a name nor an address"),
    ({"DATABASE_URL": f"mysql://u:{SECRET}@h:0/n"}, "DATABASE_URL: expected a port from 1 to 65535"),
    ({"DATABASE_URL": f"mysql://u:{SECRET}%ff@h/n"}, "DATABASE_URL: after % are two digits"),
    ({"DATABASE_URL": f"mysql://u:{SECRET}@h/n?ssl=maybe"}, "DATABASE_URL: ssl takes true, false, "),
    (
        {"DATABASE_URL": "sqlite://world.sqlite/x"},
        "DATABASE_URL: expected sqlite:///file or, with an absolute path, ",
    ),
    ({"DATABASE_URL": "sqlite:////etc/%00"}, "DATABASE_URL: after % are two digits"),
    ({"DATABASE_URL": f"sqlite:///{'x' * 300}"}, "DATABASE_URL: expected a path of at most 255 bytes"),
    ({"DB_DSN": f"u:{SECRET}@h/n"}, "DB_DSN: expected a URL that begins with mysql:// or "),
    (DATABASE | {"DB_HOST": f"mysql://u:{SECRET}@h/n"}, f"DB_HOST: {HOST}; a whole URL goes into DATABASE_URL"),
    (DATABASE | {"DB_HOST": "http://h"}, f"DB_HOST='http://h': {HOST}; a whole URL goes into DATABASE_URL"),
    (DATABASE | {"DB_HOST": "[::1"}, f"DB_HOST='[::1': {HOST}"),
    (DATABASE | {"DB_HOST": "a..b"}, f"DB_HOST='a..b': {HOST}"),
    (DATABASE | {"DB_HOST": "h\nx"}, "DB_HOST='h\\nx': expected one line of text in UTF-8"),
    (DATABASE | {"DB_HOST": "h:3307", "DB_PORT": "3306"}, "DB_HOST='h:3307': it names another port than DB_PORT"),
    (DATABASE | {"DB_HOST": ""}, "no database is configured: DATABASE_URL, or DB_HOST, is missing; "),
    (DATABASE | {"DB_NAME": ""}, "DB_NAME: the name of the database is needed beside DB_HOST"),
    (DATABASE | {"DB_PASS": f"{SECRET}\udcff"}, "DB_PASS: expected text in UTF-8"),
    (
        DATABASE | {"DB_SSL": "sometimes"},
        "DB_SSL='sometimes': expected one of off, preferred, required, verify",
    ),
    (DATABASE | {"DB_SSL_CA": "/no/ca.pem"}, "DB_SSL_CA: /no/ca.pem cannot be read (No such file or directory)"),
    (DATABASE | {"DB_POOL_MAX": "many"}, "DB_POOL_MAX='many': expected a whole number from 1 to 1000"),
    ({"DB_HSOT": "127.0.0.1", "DB_USER": "u", "DB_NAME": "n"}, "no database is configured: DATABASE_URL, or DB_H"),
    ({"DATABSE_URL": f"mysql://u:{SECRET}@h/n"}, "no database is configured: DATABASE_URL, or DB_HOST, DB_USER, "),
    (
        {"REDIS_URL": f"http://:{SECRET}@h"},
        "REDIS_URL: expected a URL that begins with redis:// or rediss:// or unix://",
    ),
    ({"REDIS_URL": f"redis://:{SECRET}#@h"}, "REDIS_URL: "),
    ({"REDIS_URL": f"redis://:{SECRET}@h/first"}, "REDIS_URL: the URL ends with the number of a database"),
    ({"REDIS_URL": f"redis://:{SECRET}@h?socket_timeout=x"}, "REDIS_URL: the option socket_timeout is not known"),
    ({"REDIS_URL": "redis://h?ssl_cert_reqs=none"}, "REDIS_URL: the option ssl_cert_reqs needs rediss://"),
    ({"REDIS_DSN": f"rediss://:{SECRET}@h?ssl_cert_reqs=no"}, "REDIS_DSN: the option ssl_cert_reqs has a value "),
    ({"REDIS_HOST": f"redis://:{SECRET}@h"}, f"REDIS_HOST: {HOST}; a whole URL goes into REDIS_URL"),
    ({"REDIS_HOST": "h:port"}, f"REDIS_HOST='h:port': {HOST}"),
    ({"REDIS_PORT": "tcp://10.0.0.11:6379"}, f"REDIS_PORT='tcp://10.0.0.11:6379': {PORT}"),
    ({"REDIS_DB": "zero"}, "REDIS_DB='zero': expected a whole number from 0 to 65535"),
    ({"REDIS_TIMEOUT": "0"}, "REDIS_TIMEOUT='0': expected a number from above 0 to 60"),
    ({"GAME_SERVER_URL": "bancho:10000"}, f"GAME_SERVER_URL='bancho:10000': {GAME_SERVER}"),
    ({"GAME_SERVER_URL": "http://a b"}, f"GAME_SERVER_URL='http://a b': {GAME_SERVER}"),
    ({"GAME_SERVER_URL": f"http://u:{SECRET}@h"}, f"GAME_SERVER_URL: {GAME_SERVER}"),
    ({"APP_HOST": "a..b"}, "APP_HOST='a..b': expected a host name, an IP address or the path of a socket"),
    ({"APP_PORT": "-1"}, "APP_PORT='-1': expected a whole number from 0 to 65535"),
    ({"DOMAIN": "https://example.com"}, "DOMAIN='https://example.com': expected a name such as example.com"),
    ({"DOMAIN": ".example.com"}, "DOMAIN='.example.com': expected a name such as example.com"),
    ({"PASSTHROUGH": "perhaps"}, "PASSTHROUGH='perhaps': expected true or false"),
    ({"TRUSTED_PROXIES": "nginx"}, f"TRUSTED_PROXIES='nginx': {NETWORKS}"),
    ({"TRUSTED_PROXIES": "10.0.0.1/8"}, f"TRUSTED_PROXIES='10.0.0.1/8': {NETWORKS}"),
    (
        {"CLIENT_ADDRESS_HEADER": "X-Real-IP:"},
        "CLIENT_ADDRESS_HEADER='X-Real-IP:': expected a header with nothing but ",
    ),
    ({"CORS_ORIGINS": "https://a.example, example.com"}, f"CORS_ORIGINS='example.com': {ORIGINS}"),
    ({"DATA_DIRECTORY": "/no\0where"}, "DATA_DIRECTORY='/no\\x00where': expected one line of text in UTF-8"),
    ({"DATA_DIRECTORY": f"/{'x' * 300}"}, f"DATA_DIRECTORY='/{'x' * 99}…': expected a path of at most 255 bytes"),
    ({"TIME_ZONE": "Tokyo"}, "TIME_ZONE='Tokyo': expected a name such as Asia/Tokyo"),
    ({"TIME_ZONE": "../etc/passwd"}, "TIME_ZONE='../etc/passwd': expected a name such as Asia/Tokyo"),
    ({"REPLAYS_URL": "/srv/osr"}, "REPLAYS_URL='/srv/osr': expected a URL that begins with s3:// or file://"),
    ({"REPLAYS_URL": f"s3://key:{SECRET}@bucket"}, f"REPLAYS_URL: {S3}; keys go into AWS_ settings"),
    ({"NGINX_REPLAYS": "internal"}, "NGINX_REPLAYS='internal': expected a path such as /internal/osr/"),
    (
        {"AWS_ENDPOINT_URL": "minio:9000"},
        "AWS_ENDPOINT_URL='minio:9000': expected a URL that begins with http:// or ",
    ),
    ({"LIST_LIMIT": "0"}, "LIST_LIMIT='0': expected a whole number from 1 to 100000"),
    ({"CACHE_BYTES": "64M"}, "CACHE_BYTES='64M': expected a whole number from 1048576 to 1099511627776"),
    ({"RATE_LIMIT": "0.001"}, "RATE_LIMIT='0.001': expected 0 or a number from 0.01 to 100000"),
    ({"RATE_LIMIT": "nan"}, "RATE_LIMIT='nan': expected a number from 0 to 100000"),
    (
        {"BEATMAP_MIRROR": "https://mirror/osu/"},
        "BEATMAP_MIRROR='https://mirror/osu/': expected a URL with {id} in it, ",
    ),
    ({"PP_PYTHON": "x" * 300}, f"PP_PYTHON='{'x' * 100}…': expected a path of at most 255 bytes"),
]


@pytest.mark.parametrize(
    ("settings", "line"), WRONG, ids=lambda value: "" if isinstance(value, str) else str(value)[:60]
)
def test_a_wrong_setting_is_one_line(run: Run, settings: dict[str, str], line: str, tmp_path: Path) -> None:
    if any("\0" in value for value in settings.values()):
        # An environment cannot have it, but a file can.
        (tmp_path / ".env").write_text("".join(f"{name}='{value}'\n" for name, value in settings.items()))
        settings = {}
    before = sorted(tmp_path.iterdir())
    served = run("serve", "--port", str(free_port()), **settings)
    checked = run("check", **settings)
    as_json = run("check", "--json", **settings)

    assert (served.exit_code, served.stdout) == (checked.exit_code, checked.stdout) == (2, "")
    assert served.stderr == checked.stderr
    assert served.stderr.startswith(f"apidot: {line}")
    assert served.stderr.count("\n") == 1
    assert (as_json.exit_code, as_json.stderr) == (2, "")
    report = json.loads(as_json.stdout)
    (finding,) = report["findings"]
    assert (report["exit_code"], report["level"], finding["code"]) == (2, "error", "settings.refused")
    assert f"apidot: {finding['text']}\n" == served.stderr
    assert SECRET not in served.output + checked.output + as_json.output
    assert sorted(tmp_path.iterdir()) == before


def test_a_folder_that_this_user_may_not_see(tmp_path: Path, recorded_sqlite: str) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    without_rights: list[str] = []
    if os.geteuid() == 0:
        os.chown(closed, 65534, 65534)
        rights = "-dac_override,-dac_read_search"
        without_rights = ["setpriv", f"--bounding-set={rights}", f"--inh-caps={rights}"]
    for settings, code, said in [
        (
            {"DATA_DIRECTORY": f"{closed}/data", "DATABASE_URL": recorded_sqlite},
            1,
            f"{closed}/data is not there, or",
        ),
        ({"DATABASE_URL": f"sqlite:///{closed}/world"}, 2, f"there is no SQLite file {closed}/world"),
        ({"APIDOT_ENV_FILE": f"{closed}/env"}, 2, f"apidot: {closed}/env: cannot be read (Permission denied)"),
    ]:
        ended = subprocess.run(
            [*without_rights, sys.executable, str(ROOT / "main.py"), "check"],
            cwd=tmp_path,
            env=settings | {"PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
        )
        assert ended.returncode == code, ended
        assert said in ended.stdout + ended.stderr
        assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("command", [["serve"], ["check"], ["check", "--json"]])
def test_a_wrong_settings_file_in_a_process_of_its_own(tmp_path: Path, command: list[str]) -> None:
    lines = "DB_HSOT=127.0.0.1\nDB_USER=cmyui\nDB_PASS=geh3im\nDB_NAME=bancho\nREDIS_HOST=localhost\n"
    (tmp_path / ".env").write_text(lines)
    ended = subprocess.run(
        [sys.executable, str(ROOT / "main.py"), *command], cwd=tmp_path, env={}, capture_output=True, text=True
    )
    said = json.loads(ended.stdout)["findings"][0]["text"] if "--json" in command else ended.stderr
    assert ended.returncode == 2
    assert (
        "no database is configured: DATABASE_URL, or DB_HOST, is missing; DB_HSOT: did you mean DB_HOST?" in said
    )
    assert SECRET not in ended.stdout + ended.stderr
    assert [file.name for file in tmp_path.iterdir()] == [".env"]
