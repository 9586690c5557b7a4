"""Clusters of MariaDB servers that hold the recorded world: Galera, and a primary with a replica."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pymysql

from tests.support import conformance, install, mariadbd, servers
from tests.support.processes import Process, free_port
from tests.support.servers import Server

DATABASE = "clustered"
PASSWORD = "secret"  # of root, and of the user `apidot`
# The ids of players who have an API key.
PLAYERS = range(101, 121)
# As docs/operating.md says. Triggers note every change of a profile in the order in which they were made.
PREPARE = (
    f"CREATE USER apidot IDENTIFIED BY '{PASSWORD}'",
    f"GRANT SELECT ON {DATABASE}.* TO apidot",
    f"GRANT UPDATE (userpage_content, preferred_mode, play_style, custom_badge_name, custom_badge_icon)"
    f" ON {DATABASE}.users TO apidot",
    f"UPDATE {DATABASE}.users SET api_key = CONCAT('00000000-0000-4000-8000-000000000', id)"
    f" WHERE id BETWEEN {PLAYERS[0]} AND {PLAYERS[-1]}",
    f"CREATE TABLE {DATABASE}.made (id INT AUTO_INCREMENT PRIMARY KEY, player INT, page VARCHAR(2048))",
    f"CREATE TRIGGER {DATABASE}.note AFTER UPDATE ON {DATABASE}.users FOR EACH ROW"
    f" INSERT INTO {DATABASE}.made (player, page) VALUES (NEW.id, NEW.userpage_content)",
)
LIBRARY = "/usr/lib/galera/libgalera_smm.so"
# A node that is gone is noticed in half a second.
QUICK = (
    "evs.keepalive_period=PT0.1S;evs.inactive_check_period=PT0.1S;evs.suspect_timeout=PT0.5S;"
    "evs.inactive_timeout=PT1S;evs.install_timeout=PT1S;evs.join_retrans_period=PT0.1S;"
    "gmcast.peer_timeout=PT0.5S;gmcast.time_wait=PT0.5S;pc.announce_timeout=PT0.5S;pc.recovery=false"
)
# Galera runs a script to copy a node's data. These nodes begin with the same data, and send each other only the
# changes since then, which Galera does by itself: the script passes on where they begin.
TRANSFER = """\
#!/bin/sh
while [ $# -gt 0 ]; do
    case $1 in
        --role) role=$2; shift ;;
        --address) address=$2; shift ;;
        --datadir) data=$2; shift ;;
        --gtid) gtid=$2; shift ;;
        --mysqld-args) break ;;
    esac
    shift
done
if [ "$role" = joiner ]; then
    rm -f "${data}begin"
    echo "ready ${data}begin"
    until [ -s "${data}begin" ]; do sleep 0.05; done
    cat "${data}begin"
else
    echo continue
    echo "$gtid" > "$address.new"
    mv "$address.new" "$address"
    echo "done $gtid"
fi
"""


class Node(Server):
    """A server of a cluster."""

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 0

    def rows(self, statement: str) -> list[Any]:
        """Return the rows of a statement. Raises pymysql.MySQLError."""
        with closing(mariadbd.connect(self.url, timeout=10)) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    def execute(self, *statements: str) -> None:
        """Run statements. Raises pymysql.MySQLError."""
        mariadbd.execute(self.url, *statements)

    def status(self, name: str) -> str:
        """Return the value of a status variable, an empty text if the server does not answer."""
        try:
            return str(self.rows(f"SHOW GLOBAL STATUS LIKE '{name}'")[0][1])
        except pymysql.MySQLError:
            return ""


def wait(until: Callable[[], bool], seconds: float = 10) -> None:
    """Wait until the function returns true. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while not until():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not so after {seconds} s")
        time.sleep(0.02)


@contextmanager
def galera() -> Iterator[tuple[Node, Node]]:
    """Run two Galera nodes and an arbitrator."""
    group = f"apidot{free_port()}"
    addresses = [f"127.0.0.1:{free_port()}" for _ in range(3)]

    def options(number: int, *, first: bool = False) -> list[str]:
        provider = f"gmcast.listen_addr=tcp://{addresses[number]};ist.recv_addr=127.0.0.1:{free_port()}"
        chosen = {
            "wsrep-on": "ON",
            "wsrep-provider": LIBRARY,
            "wsrep-cluster-name": group,
            "wsrep-cluster-address": "gcomm://" + ("" if first else ",".join(addresses[:2])),
            "wsrep-node-name": f"node{number}",
            "wsrep-node-address": addresses[number],
            "wsrep-sst-method": "begin",
            "wsrep-provider-options": f"{provider};gcache.size=8M;{QUICK}",
            "binlog-format": "ROW",
            "innodb-autoinc-lock-mode": "2",
        }
        return [f"--{name}={value}" for name, value in chosen.items()] + ["--wsrep-new-cluster"] * first

    with _folder() as folder:
        script = folder / "wsrep_sst_begin"
        script.write_text(TRANSFER)
        script.chmod(0o755)
        data = _data(folder, options(0, first=True))
        with (
            _node(folder / "a", data, options(0, first=True), synced) as a,
            _node(folder / "b", data, options(1), synced) as b,
        ):
            garbd = [install.require(install.GARBD), f"--group={group}", "--name=arbitrator"]
            garbd.append(f"--address=gcomm://{','.join(addresses[:2])}")
            garbd.append(f"--options=gmcast.listen_addr=tcp://{addresses[2]};{QUICK}")
            everybody = lambda: a.status("wsrep_cluster_size") == b.status("wsrep_cluster_size") == "3"  # noqa: E731
            with Process(garbd, ready=everybody, log=folder / "arbitrator"):
                yield a, b


def key(player: int) -> str:
    """Return the API key of one of the players."""
    return f"00000000-0000-4000-8000-000000000{player}"


def made(node: Node) -> dict[int, list[str]]:
    """Return the pages that each player has had on this server since the start, the last one last."""
    pages: dict[int, list[str]] = {player: [] for player in PLAYERS}
    for player, page in node.rows("SELECT player, page FROM made ORDER BY id"):
        pages[player].append(page)
    return pages


def synced(node: Node) -> bool:
    """Return whether a Galera node is part of the primary component, and has all changes."""
    return node.status("wsrep_local_state_comment") == "Synced" and node.status("wsrep_ready") == "ON"


@contextmanager
def primary_and_replica() -> Iterator[tuple[Node, Node]]:
    """Run a primary and a read-only replica, which has received every change before its client is answered."""
    both = ["--log-bin=log", "--binlog-format=ROW", "--log-slave-updates", "--gtid-strict-mode=1"]
    master = [*both, "--server-id=1", "--rpl-semi-sync-master-enabled=1", "--rpl-semi-sync-master-timeout=30000"]
    master.append("--rpl-semi-sync-master-wait-point=AFTER_SYNC")
    slave = [*both, "--server-id=2", "--rpl-semi-sync-slave-enabled=1", "--read-only=1"]
    with _folder() as folder:
        data = _data(folder)
        with (
            _node(folder / "a", data, master, answering) as a,
            _node(folder / "b", data, slave, answering) as b,
        ):
            source = f"MASTER_HOST='127.0.0.1', MASTER_PORT={a.port}, MASTER_USER='root'"
            b.execute(
                f"CHANGE MASTER TO {source}, MASTER_PASSWORD='{PASSWORD}', MASTER_USE_GTID=slave_pos",
                "START SLAVE",
            )
            wait(lambda: a.status("Rpl_semi_sync_master_clients") == "1")
            yield a, b


def answering(node: Node) -> bool:
    return mariadbd.answers(node.url)


def caught_up(replica: Node) -> bool:
    """Return whether a replica has made all changes that it has received."""
    with closing(mariadbd.connect(replica.url)) as connection:
        with connection.cursor(pymysql.cursors.DictCursor) as cursor:
            cursor.execute("SHOW SLAVE STATUS")
            status = cursor.fetchall()[0]
    position: str = replica.rows("SELECT @@gtid_slave_pos")[0][0]
    return bool(status["Gtid_IO_Pos"] == position)


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="apidot-") as name:
        yield Path(name)


def _data(folder: Path, options: Sequence[str] = ()) -> Path:
    """Return a folder with the data of a server that has run with these options."""
    assert servers.shared is not None
    binary = install.require(install.MARIADB)
    template = servers._template(binary, servers.shared / install.MARIADB.package)
    url = f"mysql://root:{PASSWORD}@127.0.0.1:{free_port()}/"
    command = mariadbd.create(binary, folder, url, template)
    ready = lambda: mariadbd.answers(url)  # noqa: E731
    with Process([*command, *options], ready=ready, log=folder / "log"):
        mariadbd.execute(url, f"CREATE DATABASE {DATABASE}")
        conformance.load(url + DATABASE)
        mariadbd.execute(url, *PREPARE)
    return folder / "data"


@contextmanager
def _node(
    folder: Path, data: Path, options: Sequence[str], ready: Callable[[Node], bool]
) -> Iterator[Node]:
    """Run a server on a copy of the data. The folder's parent has the script of `wsrep-sst-method`."""
    folder.mkdir()
    url = f"mysql://root:{PASSWORD}@127.0.0.1:{free_port()}/{DATABASE}"
    # The data have the users already, and a node that joins a cluster may not change them.
    create = mariadbd.create(install.require(install.MARIADB), folder, url, data)
    command = [part for part in create if not part.startswith("--init-file")]
    env = {**os.environ, "PATH": f"{folder.parent}:{install.PATH}"}
    process = Process([*command, *options], ready=lambda: ready(node), log=folder / "log", env=env)
    node = Node(url, process)
    with process:
        yield node
