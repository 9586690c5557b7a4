"""Every fault of the suite is made once with each driver, for a short time."""

from collections.abc import Callable, Iterator

import pytest

from faults.fault import Fault, NeedsRoot
from faults.paths import Known, known_copies
from faults.servers import Servers, start_servers
from faults.suite import Plan, run

Make = Callable[[Fault, str], None]

# A fault lasts longer than the longest wait for the database. The tests share the machine with others.
PLAN = Plan(seconds=3.5, slack=2.0, settings={"db_pool_wait": "1", "db_statement_timeout": "1"})


@pytest.fixture(scope="session")
def fault_servers() -> Iterator[Servers]:
    """The servers on which faults are made."""
    with start_servers() as servers:
        yield servers


@pytest.fixture(scope="session")
def known(fault_servers: Servers) -> Known:
    """The right responses."""
    return known_copies(fault_servers, "aiomysql")


@pytest.fixture
def make(fault_servers: Servers, known: Known) -> Make:
    """Make a fault with a driver, and fail if anything is not as documented."""

    def make(fault: Fault, driver: str) -> None:
        try:
            result = run(fault_servers, known, fault, driver, PLAN, print)
        except NeedsRoot as error:
            pytest.skip(str(error))
        assert not result.problems, "\n".join(result.problems)

    return make
