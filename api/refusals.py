"""What a handler says instead of an answer: declared beside it, and told by the documentation."""

from collections.abc import Callable
from typing import TypeVar

from domain.errors import Wording

H = TypeVar("H", bound=Callable[..., object])


def refuses(*wordings: Wording) -> Callable[[H], H]:
    """Declares what a handler may say, beyond what its parameters and the database may make any handler say."""

    def declare(handler: H) -> H:
        vars(handler)["refusals"] = wordings
        return handler

    return declare


def refusals_of(handler: Callable[..., object]) -> tuple[Wording, ...]:
    """What was declared for a handler."""
    return getattr(handler, "refusals", ())
