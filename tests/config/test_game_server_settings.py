"""The settings for the game server, trusted proxies and web origins."""

from pathlib import Path

import pytest

from config.environment import BadSetting, settings_from
from config.settings import Settings


def read(**environment: str) -> Settings:
    return settings_from(environment, Path("/srv"))


@pytest.mark.parametrize(
    ("environment", "url"),
    [
        ({}, None),
        ({"APP_HOST": "0.0.0.0"}, None),
        ({"APP_PORT": "10000"}, "http://127.0.0.1:10000"),
        ({"APP_HOST": "0.0.0.0", "APP_PORT": "10000"}, "http://127.0.0.1:10000"),
        ({"APP_HOST": "::", "APP_PORT": "10000"}, "http://[::1]:10000"),
        ({"APP_HOST": "bancho", "APP_PORT": "10000"}, "http://bancho:10000"),
        ({"APP_PORT": "1", "GAME_SERVER_URL": "https://bancho/"}, "https://bancho"),
    ],
)
def test_the_url_of_the_game_server(environment: dict[str, str], url: str | None) -> None:
    assert read(**environment).game_server == url


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GAME_SERVER_URL", "bancho:10000"),
        ("GAME_SERVER_URL", "http://"),
        ("GAME_SERVER_URL", "http://bancho/path"),
        ("GAME_SERVER_URL", "http://user@bancho"),
        ("GAME_SERVER_URL", "http://bancho:port"),
        ("GAME_SERVER_URL", "http://[::1"),
        ("APP_PORT", "70000"),
        ("GAME_SERVER_TIMEOUT", "0"),
        ("PASSTHROUGH", "perhaps"),
        ("TRUSTED_PROXIES", "nginx"),
        ("TRUSTED_PROXIES", "10.0.0.1/8"),
        ("CORS_ORIGINS", "example.com"),
        ("CORS_ORIGINS", "*,https://example.com/path"),
        ("DOMAIN", "exa mple\n"),
        ("DOMAIN", "https://example.com"),
    ],
)
def test_an_invalid_value_is_rejected(name: str, value: str) -> None:
    with pytest.raises(BadSetting, match=name):
        read(**{name: value})


def test_comma_separated_values() -> None:
    settings = read(TRUSTED_PROXIES="10.0.0.0/8, ::1", CORS_ORIGINS="HTTPS://Example.com/ , http://localhost:3000")
    assert [str(network) for network in settings.proxies] == ["10.0.0.0/8", "::1/128"]
    assert settings.origins == ["https://example.com", "http://localhost:3000"]


def test_an_empty_value_means_none_for_some_settings_and_the_default_for_others() -> None:
    assert read().origins == read(PASSTHROUGH="").origins == ["*"]
    assert read(CORS_ORIGINS="").origins == []
    assert [str(network) for network in read(TRUSTED_PROXIES="").proxies] == ["127.0.0.0/8", "::1/128"]
