"""The results of a run, in the shape in which they are saved as JSON."""

import msgspec


class WrkResult(msgspec.Struct, frozen=True, kw_only=True):
    """What wrk measured in one window."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    bad_status: int  # responses with a status other than 2xx and 3xx
    failed: int  # connections that failed

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds

    @property
    def errors(self) -> int:
        return self.bad_status + self.failed


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """A case under load from many connections.

    CPU time is in percent of one core, memory in MiB, `body` in bytes. `floor` is the rate of the minimal
    application, in requests per second: with `cache` the bare application that returns the same bytes, without
    it the bare handler on aiomysql. `ratio` is the rate relative to it. `floor_p99_ms` is the floor's p99, 0 where
    the floor was not measured beside the case.
    """

    case: str
    world: str
    indexes: bool
    driver: str
    cache: bool
    rate: float
    p50_ms: float
    p99_ms: float
    errors: int
    server_cpu: float
    database_cpu: float
    memory: float
    body: int
    floor: float = 0
    floor_p99_ms: float = 0
    ratio: float = 0


class BesidePeer(msgspec.Struct, frozen=True, kw_only=True):
    """A case without the response cache, measured in turn with bancho.py on the same paths.

    Rates are in requests per second. `ratio` is how many times the rate of bancho.py is reached. All three are
    medians of several turns.
    """

    case: str
    indexes: bool
    rate: float
    peer: float
    ratio: float
    errors: int
    peer_errors: int


class SingleClient(msgspec.Struct, frozen=True, kw_only=True):
    """The median response times for a single client, in ms, without the cache.

    For the heaviest id, for typical ids, and for ids whose responses have the same length in every world.
    """

    case: str
    world: str
    indexes: bool
    heaviest_ms: float | None
    typical_ms: float
    same_length_ms: float


class Ratios(msgspec.Struct, frozen=True, kw_only=True):
    """Response times in the larger world, relative to those in the smaller one."""

    same_length: float
    heaviest: float | None
    typical: float


class Growth(msgspec.Struct, frozen=True, kw_only=True):
    """How the response time of a case grows from the smaller world to the larger, with and without the indexes."""

    case: str
    indexed: Ratios
    without: Ratios


class Floor(msgspec.Struct, frozen=True, kw_only=True):
    """A floor: medians of several measurements, and the lowest and highest rate in requests per second."""

    name: str
    rate: float
    lowest: float
    highest: float
    times: int
    p50_ms: float
    p99_ms: float


class Polling(msgspec.Struct, frozen=True, kw_only=True):
    """Clients that each reload one profile page once a second."""

    clients: int
    seconds: float
    paths: int  # requested for each reload
    requests: int
    errors: int
    statements: int  # SELECTs that the database ran
    p50_ms: float
    p99_ms: float
    memory: float  # MiB of the worker, at the end


class QueryPlan(msgspec.Struct, frozen=True, kw_only=True):
    """The output of EXPLAIN for a statement, and the execution time.

    `steps` has one entry for each table. `ms` is None for a change, which is not executed.
    """

    statement: str
    indexes: bool
    steps: list[str]
    ms: float | None


class IndexSize(msgspec.Struct, frozen=True):
    """The size of an index. PRIMARY contains the rows of the table."""

    world: str
    table: str
    name: str
    mebibytes: float
    created_in: float | None = None  # seconds


class Promise(msgspec.Struct, frozen=True, kw_only=True):
    """A performance target, and whether it was met."""

    name: str
    passed: bool | None  # None: for information, or not measured in this run
    figure: str


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """The results of a run. `building` is the time in seconds that each world took to build (0: it existed)."""

    machine: str
    database: str
    began: str
    minutes: float
    scores: dict[str, int]
    building: dict[str, float]
    floors: list[Floor]
    load: list[Load]
    beside_peer: list[BesidePeer] = []
    single_client: list[SingleClient]
    growth: list[Growth]
    polling: Polling | None
    query_plans: list[QueryPlan]
    indexes: list[IndexSize]
    not_measured: dict[str, str]
    promises: list[Promise] = []

    @property
    def largest(self) -> str:
        """The name of the world with the most scores."""
        return list(self.scores)[-1]
