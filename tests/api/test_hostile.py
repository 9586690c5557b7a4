"""Hostile values in every parameter of every endpoint: always a JSON response, never an internal error."""

import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, quote_from_bytes

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.routes import V1
from tests.conftest import ADMIN, Recorded, signed
from tests.support import pp_engine
from tests.support.raw_client import RawClient

# Percent-encoded, as in a URL.
SHORT = """
%00 a%00b %FF %C3%28 %C0%AF %ED%A0%80 %F4%90%80%80 % %zz %u0041 %EF%BB%BF3
%F0%9F%98%80 a%F0%9F%98%80 %F0%9F%98%80%F0%9F%98%80
%25 _ %25_%25 %5C %5C%5C %5C%27 %27 %22 %60 ! !! %25! %27%20OR%201%3D1--%20
1%27%29%3BDROP%20TABLE%20users%3B-- %7B%7D %25s %25%28id%29s %3Aid %3F ${7*7} * /**/
-1 0 -0 00 2147483647 2147483648 4294967296
9223372036854775807 9223372036854775808 18446744073709551615 18446744073709551616 -2147483649
1.5 3.0 3_0 1e3 0x10 0b1 1L + +3+ %203 3%20 %E2%80%8B3 %0A 3%0A %0D%0ASet-Cookie:%20a=b ; 3;id=4 , 3,4
null None NaN Infinity -inf true TRUE undefined [] %5B3%5D %7B%22a%22%3A1%7D
~ = ~= ~~ =HDDT best recent all stats pp 7 8 100 xx XX
"""
LONG = ("9" * 5000, "-" + "9" * 5000, "a" * 10_000, "~" + "9" * 400, "HD" * 4000)
UNICODE = ("é" * 15, "日本", "ß" * 32, "٣", "３", "²", "Ⅷ", "1٣", "試" * 1000, "ﬁ" * 3, "ü" * 32)
HOSTILE = ("", *SHORT.split(), "1" + "0" * 20, "f" * 32, "F" * 32, *LONG, *map(quote, UNICODE))
# Valid values for the other parameters, so that the hostile one is read.
VALID = {
    "get_player_info": "scope=all&id=3",
    "get_player_status": "id=3",
    "get_player_scores": "scope=best&id=3",
    "get_player_most_played": "id=3",
    "get_map_scores": "scope=best&id=1",
    "get_map_info": "id=1",
    "get_score_info": "id=1",
    "get_clan": "id=1",
    "get_mappool": "id=1",
    "calculate_pp": "id=78",
    "calculate_pp_batch": "id=78",
}
# A stream has no end: tests/api/v1/test_events.py has its parameters.
READS = {name: endpoint for name, endpoint in V1.items() if "GET" in endpoint.methods and name != "events"}
PARAMETERS = [
    (name, parameter) for name, endpoint in READS.items() for parameter in endpoint.params.__struct_fields__
]
# 501 where the pp engine is not installed.
STATUSES = {200, 400, 404, 414, 422} | (set() if pp_engine.installed() else {501})


@pytest.fixture(scope="module")
def client(recorded: Recorded) -> Iterator[RawClient]:
    url = recorded.client.base_url
    with RawClient(url.host, url.port or 80, signed(ADMIN)) as client:
        yield client


def check(client: RawClient, target: str) -> Any:
    """Return the body of the response. Raise AssertionError if it is an internal error or not JSON."""
    response = client.get(target)
    assert response.status in STATUSES, (target, response.body)
    assert response.headers["content-type"] == "application/json"
    body = json.loads(response.body)
    if response.status == 422:
        assert body["status"]
        assert {"type", "loc", "msg", "input"} <= set(body["detail"][0])
    elif response.status >= 400:
        assert list(body) == ["status"]
    return body


def query(name: str, parameter: str, value: str) -> str:
    """Return a query with the value after a valid one, and with valid values of the other parameters."""
    others = [part for part in VALID.get(name, "").split("&") if part and not part.startswith(parameter + "=")]
    if parameter in ("name", "md5"):
        others = [part for part in others if not part.startswith("id=")]
    return "&".join([*others, f"{parameter}=3", f"{parameter}={value}"])


@pytest.mark.parametrize(("name", "parameter"), PARAMETERS)
def test_every_parameter(client: RawClient, name: str, parameter: str) -> None:
    for value in HOSTILE:
        check(client, f"/v1/{name}?{query(name, parameter, value)}")


@pytest.mark.parametrize("raw", [b"\xff", b"\xc3\x28", b"\xf0\x9f\x98\x80", b"\x80" * 300, "é".encode(), b"\x7f"])
def test_bytes_that_are_not_percent_encoded(recorded: Recorded, raw: bytes) -> None:
    address = (recorded.client.base_url.host, recorded.client.base_url.port or 80)
    for name, parameter in PARAMETERS:
        with socket.create_connection(address, timeout=5) as connection:
            target = name.encode() + b"?" + parameter.encode() + b"=" + raw
            connection.sendall(b"GET /v1/" + target + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            status = connection.makefile("rb").readline()
        assert status.split()[1] in (b"200", b"400", b"401", b"404", b"422"), status


VALUES = (
    st.sampled_from(HOSTILE)
    | st.integers(-3, 40).map(str)
    | st.text(max_size=20).map(lambda text: quote(text.encode("utf-8", "replace"), safe=""))
)
PAIRS = st.tuples(st.sampled_from(sorted({parameter for _, parameter in PARAMETERS} | {"", "x", "id[]"})), VALUES)


@settings(max_examples=120)
@given(name=st.sampled_from(list(READS)), pairs=st.lists(PAIRS, max_size=6), tail=st.binary(max_size=12))
def test_any_query(client: RawClient, name: str, pairs: list[tuple[str, str]], tail: bytes) -> None:
    text = "&".join(f"{parameter}={value}" for parameter, value in pairs)
    check(client, f"/v1/{name}?{text}&{quote_from_bytes(tail, safe='&=')}")


def test_the_tables_are_still_there(client: RawClient) -> None:
    assert check(client, "/v1/get_player_count")["counts"]["total"] > 100
