"""The game server's address, however a settings file has it."""

from pathlib import Path

import pytest

from config.environment import BadSetting, settings_from
from config.settings import Settings

FOLDER = Path("/srv/game")


def read(**environment: str) -> Settings:
    return settings_from({name.upper(): value for name, value in environment.items()}, FOLDER)


@pytest.mark.parametrize(
    ("environment", "url"),
    [
        ({}, None),
        ({"app_host": "10.0.0.1"}, None),
        ({"app_port": "10000"}, "http://127.0.0.1:10000"),
        ({"app_host": "0.0.0.0", "app_port": "10000"}, "http://127.0.0.1:10000"),
        ({"app_host": "::", "app_port": "10000"}, "http://[::1]:10000"),
        ({"app_host": "fe80::1%eth0", "app_port": "1"}, "http://[fe80::1%eth0]:1"),
        ({"app_host": "bancho_py", "app_port": "1"}, "http://bancho_py:1"),
        # The port, or a scheme, in the address.
        ({"app_host": "127.0.0.1:10000"}, "http://127.0.0.1:10000"),
        ({"app_host": "127.0.0.1:10000", "app_port": "10000"}, "http://127.0.0.1:10000"),
        ({"app_host": ":10000"}, "http://127.0.0.1:10000"),
        ({"app_host": "[::]:10000"}, "http://[::1]:10000"),
        ({"app_host": "[fd00::1]", "app_port": "1"}, "http://[fd00::1]:1"),
        ({"app_host": "http://127.0.0.1:10000/"}, "http://127.0.0.1:10000"),
        ({"app_host": "HTTP://bancho", "app_port": "1"}, "http://bancho:1"),
        ({"app_host": "https://api.example.com"}, "https://api.example.com"),
        ({"app_port": "1", "game_server_url": "https://bancho/"}, "https://bancho"),
        ({"game_server_url": "http://bancho.sock"}, "http://bancho.sock"),
        # Unix sockets.
        ({"app_host": "/tmp/bancho.sock"}, "unix:/tmp/bancho.sock"),
        ({"app_host": "/tmp/bancho.sock", "app_port": "10000"}, "unix:/tmp/bancho.sock"),
        ({"app_host": "unix:/tmp/bancho"}, "unix:/tmp/bancho"),
        ({"app_host": "bancho.sock"}, "unix:/srv/game/bancho.sock"),
        ({"game_server_url": "unix:/tmp/bancho.sock"}, "unix:/tmp/bancho.sock"),
        ({"game_server_url": "unix:///tmp/bancho.sock"}, "unix:/tmp/bancho.sock"),
        # Older names.
        ({"server_addr": "/tmp/bancho.sock", "server_port": ""}, "unix:/tmp/bancho.sock"),
        ({"server_addr": "run/bancho.sock"}, "unix:/srv/game/run/bancho.sock"),
        ({"server_addr": "0.0.0.0", "server_port": "7777"}, "http://127.0.0.1:7777"),
        ({"server_addr": "/tmp/old.sock", "app_host": "0.0.0.0", "app_port": "1"}, "http://127.0.0.1:1"),
        ({"server_addr": "10.0.0.1", "server_port": "1", "app_host": "10.0.0.2"}, "http://10.0.0.2:1"),
        ({"server_addr": "/tmp/old.sock", "game_server_url": "http://new"}, "http://new"),
    ],
)
def test_the_address_of_the_game_server(environment: dict[str, str], url: str | None) -> None:
    assert read(**environment).game_server == url


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        (
            {"app_host": "a b", "app_port": "1"},
            "APP_HOST='a b': expected a host name, an IP address or the path of a socket",
        ),
        (
            {"app_host": "http://host/path"},
            "APP_HOST='http://host/path': expected a host name, an IP address or the path of a socket",
        ),
        ({"app_host": "user:geheim@host", "app_port": "1"}, "APP_HOST: expected a host name, an IP address"),
        ({"app_host": "ftp://host", "app_port": "1"}, "APP_HOST='ftp://host': expected a host name"),
        ({"app_host": "host:99999"}, "APP_HOST='host:99999': expected a host name"),
        ({"app_host": "[x]:1"}, "APP_HOST='[x]:1': expected a host name"),
        (
            {"app_host": "host:1", "app_port": "2"},
            "APP_HOST='host:1': it contains port 1, but the port is set to 2",
        ),
        ({"server_addr": "host:1", "server_port": "2"}, "SERVER_ADDR='host:1': it contains port 1"),
        ({"app_host": "/" + "x" * 107}, f"APP_HOST='/{'x' * 99}…': the path of a socket has 1 to 107 bytes"),
        ({"app_host": "unix:"}, "APP_HOST='unix:': the path of a socket has 1 to 107 bytes"),
        ({"game_server_url": "unix:/" + "x" * 107}, f"GAME_SERVER_URL='unix:/{'x' * 94}…': the path of a socket"),
        (
            {"game_server_url": "unix:bancho.sock"},
            "GAME_SERVER_URL='unix:bancho.sock': expected http:// or https://",
        ),
        (
            {"game_server_url": "/tmp/bancho.sock"},
            "GAME_SERVER_URL='/tmp/bancho.sock': expected http:// or https://",
        ),
        ({"game_server_url": "http://user:geheim@host"}, "GAME_SERVER_URL: expected http:// or https://"),
        ({"server_port": "x"}, "SERVER_PORT='x': expected a whole number from 0 to 65535"),
        (
            {"pass_on": "/v1/get_clan,v2/scores"},
            "PASS_ON='v2/scores': expected paths such as /v1/get_leaderboard",
        ),
        ({"pass_on": "https://host/v1/get_clan"}, "PASS_ON='https://host/v1/get_clan': expected paths"),
        ({"pass_on": "/v1/get_clan?id=1"}, "PASS_ON='/v1/get_clan?id=1': expected paths"),
        ({"pass_on": "/v1/get clan"}, "PASS_ON='/v1/get clan': expected paths"),
    ],
)
def test_the_message_about_what_is_no_address(environment: dict[str, str], message: str) -> None:
    with pytest.raises(BadSetting) as caught:
        read(**environment)
    assert str(caught.value).startswith(message)
    assert "geheim" not in str(caught.value)
