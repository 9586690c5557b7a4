"""Create a temporary MariaDB or MySQL server, and connect to it."""

import os
import shutil
import subprocess
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pymysql
from pymysql.cursors import Cursor

FOR_TESTS = (
    "--bind-address=127.0.0.1",
    "--skip-name-resolve",
    "--skip-log-bin",
    "--performance-schema=OFF",
    "--innodb-buffer-pool-size=32M",
    # MySQL 9 has no such option.
    "--loose-innodb-log-file-size=16M",
    "--innodb-flush-log-at-trx-commit=0",
)
# MariaDB's packages set this in the configuration file that --no-defaults ignores; it is the default of MySQL.
CHARSET = "--character-set-server=utf8mb4"
# MySQL opens a second port, and reads a folder of its package that an ordinary user cannot read.
MYSQL_ONLY = ("--mysqlx=OFF", "--secure-file-priv=NULL")

# The root user that is created with the data may only connect through the socket.
ROOT = """\
CREATE USER IF NOT EXISTS 'root'@'127.0.0.1';
ALTER USER 'root'@'127.0.0.1' IDENTIFIED BY '{password}';
GRANT ALL ON *.* TO 'root'@'127.0.0.1' WITH GRANT OPTION;
ALTER USER 'root'@'localhost' IDENTIFIED BY '{password}';
"""


def create(binary: str, folder: Path, url: str, template: Path | None = None) -> list[str]:
    """Create the data of a server in the folder, unless it has some. Return the command that runs it at the URL.

    The data are those of the template folder, if there is one. Raises RuntimeError if they cannot be created.
    """
    parts = urlsplit(url)
    # A server that starts removes all temporary tables in this folder, including those of other servers.
    temporary = folder / "tmp"
    temporary.mkdir(exist_ok=True)
    common = ["--no-defaults", f"--datadir={folder / 'data'}", f"--tmpdir={temporary}", CHARSET]
    if os.geteuid() == 0:
        common.append("--user=root")
    # MySQL has no such program: its server creates the data itself.
    base = Path(binary).parent.parent
    installer = base / "bin" / "mariadb-install-db"
    common.append(f"--basedir={base}")
    if installer.exists():
        make_data = [str(installer), *common, "--auth-root-authentication-method=normal", "--skip-test-db"]
        make_data += FOR_TESTS
    else:
        common += MYSQL_ONLY
        make_data = [binary, *common, "--initialize-insecure"]
    if template and not (folder / "data").exists():
        shutil.copytree(template, folder / "data")
    if not (folder / "data").exists():
        made = subprocess.run(make_data, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if made.returncode:
            raise RuntimeError(f"{make_data[0]} ended with {made.returncode}:\n{made.stdout}")
    init = folder / "init.sql"
    init.write_text(ROOT.format(password=parts.password))
    own = [f"--port={parts.port}", f"--socket={folder / 'socket'}", f"--init-file={init}"]
    return [binary, *common, *FOR_TESTS, *own]


def connect(url: str, *, timeout: float = 30) -> "pymysql.Connection[Cursor]":
    """Connect to a mysql:// URL, with autocommit."""
    parts = urlsplit(url)
    return pymysql.connect(
        host=parts.hostname or "127.0.0.1",
        port=parts.port or 3306,
        user=unquote(parts.username or "root"),
        password=unquote(parts.password or ""),
        database=parts.path.strip("/") or None,
        connect_timeout=timeout,
        read_timeout=timeout,
        write_timeout=timeout,
        autocommit=True,
    )


def execute(url: str, *statements: str) -> None:
    """Run the statements. Raises pymysql.MySQLError."""
    with closing(connect(url)) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def answers(url: str) -> bool:
    try:
        execute(url, "SELECT 1")
    except pymysql.MySQLError:
        return False
    return True
