"""Whatever types the columns have, and wherever there is NULL, no request ends with a server error."""

from collections.abc import Iterator

import pytest

from tests.support.drift import Drifting, altered, assert_answered, columns, drifting, odd_type
from tests.support.servers import MariaDB

COLUMNS = list(columns())
# The number of a column within its table.
NUMBERS = {
    column: sum(other.table == column.table for other in COLUMNS[:index]) for index, column in enumerate(COLUMNS)
}


@pytest.fixture(scope="module")
def world(mariadb: MariaDB) -> Iterator[Drifting]:
    with drifting(mariadb, "drift_slow") as world:
        yield world


@pytest.mark.parametrize("number", range(max(NUMBERS.values()) + 1))
def test_a_column_of_each_table_is_null_in_every_row(world: Drifting, number: int) -> None:
    null = {column: f"{column.type} NULL" for column in COLUMNS if NUMBERS[column] == number}
    updates = [f"UPDATE {column.table} SET `{column.name}` = NULL" for column in null]
    with altered(world, null, *updates):
        assert_answered(world)


@pytest.mark.parametrize("number", range(8))
@pytest.mark.parametrize("step", [0, 1, 3])
def test_columns_of_other_types(world: Drifting, number: int, step: int) -> None:
    types = {column: odd_type(column, number + step * NUMBERS[column]) for column in COLUMNS}
    with altered(world, types):
        assert_answered(world)
