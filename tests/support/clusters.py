"""Clusters of MariaDB servers that hold the recorded world: Galera, and a primary with a replica."""

import os
import shutil
import signal
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
# The privileges are those of docs/operating.md. A trigger notes every change of a profile that is made.
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
    tries=200
    until [ -s "${data}begin" ] || [ $tries = 0 ]; do tries=$((tries - 1)); sleep 0.05; done
    cat "${data}begin"
else
    echo continue
    echo "$gtid" > "$address.new"
    mv "$address.new" "$address"
    echo "done $gtid"
fi
"""


class Node(Server):
    """A server of a cluster. `data` are those that it began with, `folder` is where it keeps its own."""

    def __init__(self, url: str, process: Process, folder: Path, data: Path) -> None:
        super().__init__(url, process)
        self._folder, self._data = folder, data

    def start_anew(self) -> None:
        """Start it with the data that it had at first. As a Galera node, it gets all changes since then."""
        shutil.rmtree(self._folder / "data")
        shutil.copytree(self._data, self._folder / "data")
        self.start()

    def kill(self) -> None:
        """Kill it. The other servers and its clients notice that by themselves."""
        os.kill(self.process.pid, signal.SIGKILL)

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
            with Process(garbd, ready=lambda: members(a) == members(b) == 3, log=folder / "arbitrator"):
                yield a, b


def key(player: int) -> str:
    """Return the API key of one of the players."""
    return f"00000000-0000-4000-8000-000000000{player}"


def settings(driver: str, port: int) -> dict[str, str]:
    """Return the settings of a service that reaches the cluster at that port, and answers from it alone."""
    url = f"{driver}://apidot:{PASSWORD}@127.0.0.1:{port}/{DATABASE}"
    return {"database_url": url, "cache": "off", "access_log": "false"}


def connections(node: Node) -> int:
    """Return how many connections the service has to this server."""
    ((number,),) = node.rows("SELECT COUNT(*) FROM information_schema.processlist WHERE user = 'apidot'")
    return int(number)


def made(node: Node) -> dict[int, list[str]]:
    """Return the pages that each player has had on this server since the start."""
    pages: dict[int, list[str]] = {player: [] for player in PLAYERS}
    for player, page in node.rows("SELECT player, page FROM made ORDER BY id"):
        pages[player].append(page)
    return pages


def stored(node: Node) -> dict[int, str]:
    """Return the page that each player has on this server."""
    statement = f"SELECT id, userpage_content FROM users WHERE id BETWEEN {PLAYERS[0]} AND {PLAYERS[-1]}"
    return dict(node.rows(statement))


def synced(node: Node) -> bool:
    """Return whether a Galera node is part of the primary component, and has all changes."""
    return node.status("wsrep_local_state_comment") == "Synced" and node.status("wsrep_ready") == "ON"


def members(node: Node) -> int:
    """Return how many members a Galera node knows."""
    return int(node.status("wsrep_cluster_size") or 0)


def isolate(node: Node, *, isolated: bool = True) -> None:
    """Cut a Galera node off from the others, or connect it again, and wait until it knows."""
    node.execute(f"SET GLOBAL wsrep_provider_options = 'gmcast.isolate={isolated:d}'")
    wait(lambda: node.status("wsrep_cluster_status") == "non-Primary" if isolated else synced(node))


@contextmanager
def primary_and_replica() -> Iterator[tuple[Node, Node]]:
    """Run a primary and a read-only replica, which has received every change before its client is answered."""
    both = ["--log-bin=log", "--binlog-format=ROW", "--log-slave-updates", "--gtid-strict-mode=1"]
    of_a = [*both, "--server-id=1", "--rpl-semi-sync-master-enabled=1", "--rpl-semi-sync-master-timeout=30000"]
    of_a.append("--rpl-semi-sync-master-wait-point=AFTER_SYNC")
    of_b = [*both, "--server-id=2", "--rpl-semi-sync-slave-enabled=1", "--read-only=1"]
    with _folder() as folder:
        data = _data(folder)
        with (
            _node(folder / "a", data, of_a, answering) as a,
            _node(folder / "b", data, of_b, answering) as b,
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
    with (
        closing(mariadbd.connect(replica.url)) as connection,
        connection.cursor(pymysql.cursors.DictCursor) as cursor,
    ):
        cursor.execute("SHOW SLAVE STATUS")
        status = cursor.fetchall()[0]
        cursor.execute("SELECT @@gtid_slave_pos AS made")
        return bool(status["Gtid_IO_Pos"] == cursor.fetchall()[0]["made"])


def promote(replica: Node) -> None:
    """Make a replica the primary, after it has made all changes that it has received."""
    wait(lambda: caught_up(replica))
    replica.execute("STOP SLAVE", "SET GLOBAL read_only = 0")


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="apidot-") as name:
        yield Path(name)


def _data(folder: Path, options: Sequence[str] = ()) -> Path:
    """Return a folder with the data of a server that has run with these options."""
    assert servers.shared is not None
    binary = install.require(install.MARIADB)
    template = servers.template_data(binary, servers.shared / install.MARIADB.package)
    url = f"mysql://root:{PASSWORD}@127.0.0.1:{free_port()}/"
    command = mariadbd.create(binary, folder, url, template)
    with Process([*command, *options], ready=lambda: mariadbd.answers(url), log=folder / "log"):
        mariadbd.execute(url, f"CREATE DATABASE {DATABASE}")
        conformance.load(url + DATABASE)
        mariadbd.execute(url, *PREPARE)
    return folder / "data"


@contextmanager
def _node(folder: Path, data: Path, options: Sequence[str], ready: Callable[[Node], bool]) -> Iterator[Node]:
    """Run a server on a copy of the data. The folder's parent has the script of `wsrep-sst-method`."""
    folder.mkdir()
    url = f"mysql://root:{PASSWORD}@127.0.0.1:{free_port()}/{DATABASE}"
    # The data have the users already, and a node that joins a cluster may not change them.
    create = mariadbd.create(install.require(install.MARIADB), folder, url, data)
    command = [part for part in create if not part.startswith("--init-file")]
    env = {**os.environ, "PATH": f"{folder.parent}:{install.PATH}"}
    process = Process([*command, *options], ready=lambda: ready(node), log=folder / "log", env=env)
    node = Node(url, process, folder, data)
    with process:
        yield node
