"""Faults of the database, with aiomysql."""

import pytest

from faults.database import FAULTS
from faults.fault import Fault
from tests.slow.faults.conftest import Make


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_fault(make: Make, fault: Fault) -> None:
    make(fault, "aiomysql")
