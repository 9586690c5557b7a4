"""The benchmark measures every endpoint, and has values for every statement."""

from starlette.routing import compile_path

from api.routes import ROUTES
from bench.cases import NOT_MEASURED, cases
from bench.explain import statements, values_for
from bench.ids import Ids, Selection
from bench.peer import TIMES

SELECTION = Selection(["1"], ["2"])
IDS = Ids(**{name: SELECTION for name in Ids.__struct_fields__ if name != "online"}, online={3: "name"})


def test_every_route_is_measured_or_listed_with_the_reason() -> None:
    patterns = {route: compile_path(route)[0] for route in ROUTES}
    measured = set()
    for case in cases(IDS, 3000):
        path = (case.heavy + case.typical)[0].partition("?")[0]
        measured.add(path if path in ROUTES else next(route for route in ROUTES if patterns[route].match(path)))
    missing = ROUTES.keys() - measured - NOT_MEASURED.keys()
    assert not missing, (
        f"add a case for {sorted(missing)} to bench/cases.py, or to NOT_MEASURED there why there is none"
    )
    assert not measured & NOT_MEASURED.keys()
    assert NOT_MEASURED.keys() <= ROUTES.keys()


def test_cases_of_the_peer_exist() -> None:
    assert TIMES.keys() <= {case.name for case in cases(IDS, 3000)}


def test_every_statement_has_values() -> None:
    # Raises LookupError, which says what to add to bench/explain.py.
    for _, statement in statements():
        values_for(statement, IDS)
