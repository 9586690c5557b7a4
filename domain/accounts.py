"""What a player can read and change with an API key."""

from typing import Annotated, Any, get_args, get_type_hints

import msgspec
from msgspec import UNSET, Meta, UnsetType

from domain.errors import ErrorSpec
from domain.modes import INVALID_MODE, ruleset_mode
from domain.units import (
    MODE_CODES,
    ClanIDOrZero,
    Country,
    LastActivity,
    PlayerID,
    PlayerName,
    Privileges,
    SafeName,
)

# users.priv: supporter or premium.
SUPPORTER = 16 | 32

INT32_MAX = 2**31 - 1


class Account(msgspec.Struct, frozen=True):
    """The owner of an API key."""

    id: PlayerID
    priv: Privileges


class KeyOwner(Account, frozen=True):
    """An account and its stored key, to be compared in code: SQL ignores the case."""

    api_key: str

    def __repr__(self) -> str:
        return f"KeyOwner({self.id})"


class Friend(msgspec.Struct, frozen=True, kw_only=True):
    """A player on the caller's list of friends."""

    id: PlayerID
    name: PlayerName
    safe_name: SafeName
    country: Country
    clan_id: ClanIDOrZero
    latest_activity: LastActivity


# `text` is how the error message about a wrong value describes the right ones.
Userpage = Annotated[
    str,
    Meta(
        max_length=2048,
        description="Text of the profile page, up to 2048 characters.",
        extra={"text": "a text of at most 2048 characters"},
    ),
]
PreferredMode = Annotated[
    int,
    Meta(
        ge=0,
        le=11,
        description=f"Game mode that the profile shows first: {MODE_CODES}.",
        extra_json_schema={"enum": [*range(9)]},
        extra={"text": "a mode: 0 to 6, or 8"},
    ),
]
PlayStyle = Annotated[
    int,
    Meta(
        ge=0,
        le=INT32_MAX,
        description="Input devices as a bitmask: usually 1 mouse, 2 tablet, 4 keyboard, 8 touch screen.",
        extra={"text": "a whole number from 0"},
    ),
]
BadgeName = Annotated[
    str,
    Meta(
        max_length=16,
        description="Text of the supporter's own badge, up to 16 characters.",
        extra={"text": "a text of at most 16 characters"},
    ),
]
BadgeIcon = Annotated[
    str,
    Meta(
        max_length=64,
        pattern=r"\A[ -~]*\Z",
        description="Icon of the supporter's own badge, up to 64 ASCII characters, such as `fa-solid fa-trophy`.",
        extra={"text": "at most 64 ASCII characters"},
    ),
]


class ProfileFields(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The fields of a profile that a player can change; each is optional.

    The badge is for supporters. Null or an emptied form field clears a text.
    """

    userpage_content: Userpage | UnsetType | None = UNSET
    preferred_mode: PreferredMode | UnsetType = UNSET
    play_style: PlayStyle | UnsetType = UNSET
    custom_badge_name: BadgeName | UnsetType | None = UNSET
    custom_badge_icon: BadgeIcon | UnsetType | None = UNSET


HINTS = get_type_hints(ProfileFields, include_extras=True)
FOR_SUPPORTERS = ("custom_badge_name", "custom_badge_icon")
# The game server keeps them in memory, and has rules of its own for changing them.
GAME_SERVERS = {"name", "username", "safe_name", "country", "email", "password", "pw_bcrypt"}

NO_FIELD = ErrorSpec(400, f"Must provide a field to change: {', '.join(HINTS)}.")
GAME_SERVERS_FIELD = ErrorSpec(400, "{name} is owned by the game server: change it there.")
UNKNOWN_FIELD = ErrorSpec(400, f"{{name}} is not a field to change; these are: {', '.join(HINTS)}.")
WRONG_VALUE = ErrorSpec(400, "{name} must be {what}.")
PROFILE = (NO_FIELD, GAME_SERVERS_FIELD, UNKNOWN_FIELD, WRONG_VALUE, INVALID_MODE)


def profile_fields(given: dict[str, Any], *, texts: bool, strict_modes: bool = False) -> ProfileFields:
    """Return the changes that `given` contains. With `texts` the values are texts from a form.

    Raise APIError if a field cannot be changed here or does not take its value, or if there is none.
    """
    if not given:
        raise NO_FIELD()
    values = {name: _value(name, value, texts=texts) for name, value in given.items()}
    if "preferred_mode" in values:
        values["preferred_mode"] = ruleset_mode(values["preferred_mode"], strict=strict_modes).value
    return ProfileFields(**values)


def _value(name: str, value: Any, *, texts: bool) -> Any:
    if name.lower() in GAME_SERVERS:
        raise GAME_SERVERS_FIELD(name=name)
    if name not in HINTS:
        raise UNKNOWN_FIELD(name=name[:64] or '""')
    kinds = get_args(HINTS[name])
    nullable = type(None) in kinds
    if texts and nullable and not value:
        # A form field that was emptied.
        return None
    try:
        return getattr(msgspec.convert({name: value}, ProfileFields, strict=nullable or not texts), name)
    except msgspec.ValidationError:
        text: str = get_args(kinds[0])[1].extra["text"]
        raise WRONG_VALUE(name=name, what=text + ", or null" * nullable) from None
