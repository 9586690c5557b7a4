"""Encrypted connections to the database: which are opened, which are not, and what is said about those."""

import asyncio
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple, get_args

import pytest
from pymysql.constants import CLIENT

from api.dependencies import Dependency, database_state
from checks.database import run_encryption
from config.types import Encryption
from storage.database.database import Database
from storage.database.tls import Link, is_local
from tests.conftest import connected, running, service
from tests.support import conformance, mariadbd, servers
from tests.support.certificates import Authority
from tests.support.checks import check
from tests.support.servers import MariaDB

BOTH = pytest.mark.parametrize("driver", ["mysql", "mysql+asyncmy"])
# What is said about a connection that cannot be opened.
EXPIRED = "the server's certificate has expired"
OTHER_HOST = "the server's certificate is for another host name"
UNKNOWN = "the server's certificate is not signed by an authority that DB_SSL_CA names"
NOT_OFFERED = "the server does not offer encrypted connections, which DB_SSL asks for"
MAY_NEED = "this connection was not encrypted, and the server may require that: DB_SSL=required or verify"
# What is expected of a connection that is opened.
PLAIN, TLS = "plain", "TLSv1."


class World(NamedTuple):
    """Database servers with certificates of different kinds, and authorities: theirs and another one."""

    servers: dict[str, MariaDB]
    authorities: dict[str, str]

    def url(self, server: str, driver: str = "mysql") -> str:
        """Return the URL of the recorded world on a server."""
        return self.servers[server].url.replace("mysql", driver, 1) + conformance.TEMPLATE


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("certificates")
    authority, other = Authority(folder), Authority(folder, "other")
    certificates = {
        "valid": authority.issue("127.0.0.1"),
        "expired": authority.issue("127.0.0.1", expires=timedelta(days=-1)),
        "other host": authority.issue("db.example.com"),
    }
    with ExitStack() as stack:
        private = {
            name: [f"--ssl-cert={files.certificate}", f"--ssl-key={files.key}"]
            for name, files in certificates.items()
        } | {"no TLS": ["--skip-ssl"]}
        yield World(
            {name: stack.enter_context(servers.mariadb(options=options)) for name, options in private.items()},
            {"right": str(authority.file), "wrong": str(other.file), "": ""},
        )


async def connect(
    url: str, encryption: Encryption, authorities: str, wait: float = 5
) -> tuple[Dependency, Link | None]:
    """Return the state of the database, and how a connection reaches it if it is up."""
    async with connected(Database(url, encryption=encryption, authorities=authorities, wait=wait)) as database:
        state = await database_state(database)
        return state, await database.link() if state.state == "up" else None


def outcome(url: str, encryption: Encryption, authorities: str = "") -> str:
    """Return "plain" or the TLS version, or why there is no connection."""
    state, link = asyncio.run(connect(url, encryption, authorities))
    if link is None:
        return state.description
    assert link.is_local
    return link.protocol or PLAIN


@BOTH
@pytest.mark.parametrize(
    ("server", "encryption", "authorities", "expected"),
    [
        ("valid", "off", "", PLAIN),
        ("valid", "preferred", "", TLS),
        ("valid", "required", "", TLS),
        ("valid", "verify", "right", TLS),
        ("valid", "verify", "wrong", UNKNOWN),
        ("valid", "verify", "", UNKNOWN),
        ("expired", "preferred", "", TLS),
        ("expired", "required", "", TLS),
        ("expired", "verify", "right", EXPIRED),
        ("other host", "preferred", "", TLS),
        ("other host", "required", "", TLS),
        ("other host", "verify", "right", OTHER_HOST),
        ("other host", "verify", "wrong", UNKNOWN),
        ("no TLS", "off", "", PLAIN),
        ("no TLS", "preferred", "", PLAIN),
        ("no TLS", "required", "", NOT_OFFERED),
        ("no TLS", "verify", "right", NOT_OFFERED),
    ],
)
def test_a_connection(
    world: World, driver: str, server: str, encryption: Encryption, authorities: str, expected: str
) -> None:
    assert expected in outcome(world.url(server, driver), encryption, world.authorities[authorities])


@BOTH
def test_a_name_is_verified_like_an_address(world: World, driver: str) -> None:
    url = world.url("valid", driver).replace("@127.0.0.1:", "@localhost:")

    # The certificate names the address alone.
    assert OTHER_HOST in outcome(url, "verify", world.authorities["right"])


@contextmanager
def encryption_required(server: MariaDB) -> Iterator[None]:
    """Let the server accept no other new connections."""
    with closing(mariadbd.connect(server.url)) as connection, connection.cursor() as cursor:
        cursor.execute("SET GLOBAL require_secure_transport = ON")
        try:
            yield
        finally:
            cursor.execute("SET GLOBAL require_secure_transport = OFF")


@BOTH
def test_a_server_that_only_accepts_encrypted_connections(world: World, driver: str) -> None:
    url = world.url("valid", driver)
    with encryption_required(world.servers["valid"]):
        assert MAY_NEED in outcome(url, "off")
        assert TLS in outcome(url, "preferred")
        assert TLS in outcome(url, "required")


@BOTH
def test_a_user_who_must_use_encryption(world: World, driver: str) -> None:
    server = world.servers["valid"]
    mariadbd.execute(server.url, "CREATE USER IF NOT EXISTS careful IDENTIFIED BY 'a-password' REQUIRE SSL")
    mariadbd.execute(server.url, f"GRANT SELECT ON {conformance.TEMPLATE}.* TO careful")
    url = f"{driver}://careful:a-password@{world.url('valid').rpartition('@')[2]}"

    assert MAY_NEED in outcome(url, "off")
    assert TLS in outcome(url, "preferred")


@BOTH
def test_a_wrong_password_is_no_matter_of_encryption(world: World, driver: str) -> None:
    cases: list[tuple[str, Encryption]] = [("no TLS", "off"), ("valid", "required")]
    for server, encryption in cases:
        address = world.url(server).rpartition("@")[2]
        said = outcome(f"{driver}://root:wrong@{address}", encryption)
        assert "Access denied" in said
        assert MAY_NEED not in said


def test_a_socket_of_this_machine_needs_no_encryption(world: World) -> None:
    url = world.servers["valid"].url
    with closing(mariadbd.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT @@socket")
        ((path,),) = cursor.fetchall()
    login = url.removeprefix("mysql://").rpartition("@")[0]
    for driver in ("mysql", "mysql+asyncmy"):
        for encryption in get_args(Encryption):
            assert outcome(f"{driver}://{login}@/{conformance.TEMPLATE}?unix_socket={path}", encryption) == PLAIN


@contextmanager
def greeting_server(also: int = 0) -> Iterator[tuple[int, bytearray]]:
    """Greet a client as a server does that offers no encryption, unless `also` says so, and send nothing else.

    Yield the port, and what the client sends.
    """
    capabilities = CLIENT.PROTOCOL_41 | CLIENT.SECURE_CONNECTION | CLIENT.PLUGIN_AUTH | also
    greeting = b"\x0a" + b"11.8.0-MariaDB\0" + bytes(4) + b"saltsalt\0"
    greeting += struct.pack("<HBHHB", capabilities & 0xFFFF, 45, 2, capabilities >> 16, 21) + bytes(10)
    greeting += b"saltsaltsalt\0" + b"mysql_native_password\0"
    sent = bytearray()

    def greet(listener: socket.socket) -> None:
        client, _ = listener.accept()
        with client:
            client.sendall(len(greeting).to_bytes(3, "little") + b"\0" + greeting)
            while data := client.recv(1000):
                sent.extend(data)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=greet, args=(listener,))
        thread.start()
        yield listener.getsockname()[1], sent
        thread.join()


@BOTH
@pytest.mark.parametrize("encryption", ["required", "verify"])
def test_nothing_is_sent_to_a_server_without_encryption(driver: str, encryption: Encryption) -> None:
    with greeting_server() as (port, sent):
        said = outcome(f"{driver}://user:a-password@127.0.0.1:{port}/bancho", encryption)
    assert NOT_OFFERED in said
    assert not sent


@BOTH
def test_a_handshake_that_is_not_answered_ends(driver: str) -> None:
    with greeting_server(also=CLIENT.SSL) as (port, sent):
        url = f"{driver}://user:a-password@127.0.0.1:{port}/bancho"
        state, _ = asyncio.run(connect(url, "required", "", wait=0.5))
    assert (state.state, type(state.error)) == ("down", TimeoutError)
    assert b"user" not in sent


@BOTH
def test_login_data_reach_such_a_server_if_encryption_is_optional(driver: str) -> None:
    with greeting_server() as (port, sent):
        outcome(f"{driver}://user:a-password@127.0.0.1:{port}/bancho", "preferred")
    assert b"user" in sent


def test_check_says_whether_connections_are_encrypted(world: World, tmp_path: Path) -> None:
    url = world.url("valid")

    encrypted = check(tmp_path, database_url=url, db_ssl="required")
    assert encrypted.levels["database.encrypted"] == "ok"
    assert TLS in encrypted.text("database.encrypted")
    assert check(tmp_path, database_url=url).levels["database.local"] == "ok"
    refused = check(tmp_path, database_url=url, db_ssl_ca=world.authorities["wrong"])
    assert refused.codes("database") == {"database.away": "error"}
    assert UNKNOWN in refused.text("database.away")
    assert "Encrypted connections" in refused.text("database.away")


class Remote(Database):
    """A database on another host, to which there is a connection without encryption."""

    async def link(self) -> Link:
        return Link(None, is_local=False)


def test_check_warns_of_connections_to_another_host_without_encryption() -> None:
    (finding,) = asyncio.run(run_encryption(Remote("mysql://user:a-password@db.example.com/bancho")))
    assert (finding.level, finding.code) == ("warning", "database.not-encrypted")
    assert "DB_SSL" in finding.advice


@pytest.mark.parametrize(
    ("own", "server", "expected"),
    [
        (("10.0.0.2", 50000), ("10.0.0.3", 3306), False),
        (("fd00::2", 50000, 0, 0), ("fd00::3", 3306, 0, 0), False),
        (("10.0.0.2", 50000), ("10.0.0.2", 3306), True),
        (("127.0.0.1", 50000), ("127.0.0.2", 3306), True),
        (("::1", 50000, 0, 0), ("::1", 3306, 0, 0), True),
        (("fe80::1%eth0", 50000, 0, 2), ("fe80::2%eth0", 3306, 0, 2), False),
        ("", "/run/mysqld/mysqld.sock", True),
    ],
)
def test_which_servers_are_on_this_machine(own: object, server: object, expected: bool) -> None:
    assert is_local(own, server) == expected


@BOTH
def test_the_service_says_why_it_has_no_database(world: World, driver: str) -> None:
    settings = {"database_url": world.url("expired", driver), "db_ssl_ca": world.authorities["right"]}
    with running(**settings) as (client, process):
        ready = client.get("/health/ready")
        assert (ready.status_code, ready.json()["neighbours"]["database"]["state"]) == (503, "down")
        assert "127.0.0.1" not in ready.text
        assert EXPIRED in process.output()


@BOTH
def test_a_service_on_an_encrypted_connection(world: World, driver: str) -> None:
    url = f"{world.url('valid', driver)}?ssl=verify&ssl_ca={world.authorities['right']}"
    with encryption_required(world.servers["valid"]), service(database_url=url) as client:
        client.get("/v1/get_player_info?scope=all&id=3").raise_for_status()
