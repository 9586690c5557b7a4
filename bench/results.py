"""What a run of the bench has found: the shape of the JSON it saves."""

import msgspec

from bench.worlds import IndexSize


class Shot(msgspec.Struct, frozen=True, kw_only=True):
    """What a load generator saw in one window."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    refused: int  # answers that are no 2xx
    broken: int  # connections that failed

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds

    @property
    def errors(self) -> int:
        """Whatever was no answer."""
        return self.refused + self.broken


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """One question under load, and what the server and the database took for it.

    Processor time is in percent of a core, memory in MiB, `body` in bytes. `floor` is what the answer is compared
    with, in requests a second: the bare application with the same bytes when `cache` is on, the bare handler with
    aiomysql otherwise.
    """

    question: str
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
    ratio: float = 0


class Alone(msgspec.Struct, frozen=True, kw_only=True):
    """The medians of a single client, in ms: of the heaviest there is, of typical ones, and of those `alike`.

    Of the last the answers are as long in all worlds. The cache is off.
    """

    question: str
    world: str
    indexes: bool
    heaviest_ms: float | None
    typical_ms: float
    alike_ms: float


class Times(msgspec.Struct, frozen=True, kw_only=True):
    """How many times as long: for the same length of answer, and for each world's heaviest and typical ids."""

    alike: float
    heaviest: float | None
    typical: float


class Growth(msgspec.Struct, frozen=True, kw_only=True):
    """How many times as long a single client waits in the large world, with sql/indexes.sql and without."""

    question: str
    indexed: Times
    without: Times


class Floor(msgspec.Struct, frozen=True, kw_only=True):
    """A floor, measured several times: requests a second, times in ms."""

    name: str
    rate: float  # the median of all, as are p50 and p99
    lowest: float
    highest: float
    times: int
    p50_ms: float
    p99_ms: float


class Polling(msgspec.Struct, frozen=True, kw_only=True):
    """Clients that ask for one profile page once a second."""

    clients: int
    seconds: float
    questions: int  # different ones
    requests: int
    errors: int
    statements: int  # SELECTs that the database saw
    p50_ms: float
    p99_ms: float
    memory: float  # MiB of the worker, at the end


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How the database goes about a statement: EXPLAIN, a part for each table, and the time it took in ms."""

    statement: str
    indexes: bool
    steps: list[str]
    ms: float | None


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """Whether what is promised was shown."""

    name: str
    passed: bool | None  # None: this run does not measure it
    figure: str


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """Everything. `building` is seconds by world, `created` the sizes of the indexes."""

    machine: str
    database: str
    began: str
    minutes: float
    scores: dict[str, int]
    building: dict[str, float]
    floors: list[Floor]
    load: list[Load]
    alone: list[Alone]
    growth: list[Growth]
    polling: Polling | None
    plans: list[Plan]
    indexes: list[IndexSize]
    not_measured: dict[str, str]
    checks: list[Check] = []
