"""Faults of the service's own processes and of the machine, with both drivers."""

import pytest

from faults.fault import Fault
from faults.process import FAULTS
from faults.servers import DRIVERS
from tests.slow.faults.conftest import Make


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_fault(make: Make, fault: Fault, driver: str) -> None:
    make(fault, driver)
