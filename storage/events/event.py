"""An event, and which events a listener wants."""

from collections.abc import Callable
from typing import Any, Literal, Self, get_args

import msgspec

from domain.events import Nothing

# What listeners may ask for.
EventType = Literal["score", "first_place", "player", "match"]
TYPES: tuple[EventType, ...] = get_args(EventType)

encode = msgspec.json.Encoder().encode


class Event(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Something that has happened, encoded once for all listeners.

    `data` is JSON. The cursor tells which scores a listener has with this event; it is empty in events that are
    not about scores. `id` is that of the score or the match. The other fields are what filters look at.
    """

    type: EventType | Literal["hello", "reset", "bye"]
    data: bytes
    cursor: str = ""
    id: int = 0
    player: int = 0
    mode: int = 0
    status: int = 0
    map_md5: str = ""
    # What listeners get instead that do not want the `first_place` event which follows this one.
    alone: "Event | None" = None
    forms: dict[str, bytes] = {}

    def form(self, name: str, make: "Callable[[Event], bytes]") -> bytes:
        """Return the event in the form in which a protocol sends it: what `make` returns, which is called once."""
        form = self.forms.get(name)
        if form is None:
            form = self.forms[name] = make(self)
        return form

    def copy(self, **changes: Any) -> Self:
        """Return the event with other values in these fields. Its forms are not those of this one."""
        return msgspec.structs.replace(self, **changes, forms={})


RESET = Event(type="reset", data=encode(Nothing()))
BYE = Event(type="bye", data=encode(Nothing()))


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which events a listener wants. An empty set of players or modes stands for all of them."""

    types: frozenset[EventType]
    players: frozenset[int] = frozenset()
    modes: frozenset[int] = frozenset()
    map_md5: str | None = None
    include_failed: bool = False

    def admits(self, event: Event) -> bool:
        """Return whether the listener wants the event. All want `reset`."""
        if event.type == "reset":
            return "score" in self.types or "first_place" in self.types
        if event.type not in self.types:
            return False
        if event.type == "match":
            return True
        if self.players and event.player not in self.players:
            return False
        if event.type == "player":
            return True
        return (
            (self.include_failed or event.status > 0)
            and (not self.modes or event.mode in self.modes)
            and (self.map_md5 is None or event.map_md5.lower() == self.map_md5.lower())
        )
