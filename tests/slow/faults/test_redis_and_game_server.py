"""Faults of Redis and of the game server, with both drivers."""

import pytest

from faults import game_server, redis
from faults.fault import Fault
from faults.servers import DRIVERS
from tests.slow.faults.conftest import Make


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("fault", [*redis.FAULTS, *game_server.FAULTS], ids=lambda fault: fault.name)
def test_fault(make: Make, fault: Fault, driver: str) -> None:
    make(fault, driver)
