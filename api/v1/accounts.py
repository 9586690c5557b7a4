"""What a player does with an API key: the list of friends, the profile, the avatar."""

import asyncio
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta

from api.request.auth import AUTHENTICATE_LEGACY, NOT_ALLOWED, Caller, authenticate_legacy
from api.request.body import FIELDS, READ, Body, fields
from api.request.multipart import MULTIPART, parts
from api.request.params import NoParams, Offset
from api.response.encoded import Success
from api.response.errors import errors
from api.services import Services
from domain.accounts import FOR_SUPPORTERS, PROFILE, SUPPORTER, Friend, ProfileFields, profile_fields
from domain.errors import ErrorSpec
from domain.players import UNRESTRICTED, VISIBLE
from storage.database import catalogue
from storage.database.database import Unstorable
from storage.database.statement import Value
from storage.files.avatars import NOT_AN_AVATAR, NOT_STORED

LARGEST_AVATAR = 4 * 1024 * 1024
# What the boundaries, headers and other parts around an avatar may take.
AROUND_AVATAR = 65_536
LARGEST_PROFILE = 65_536

ImageFile = Annotated[bytes, Meta(description="a PNG, JPEG or GIF", extra_json_schema={"format": "binary"})]

UNSTORABLE = ErrorSpec(400, "A text holds characters that the game server's database cannot keep.")
NO_AVATAR = ErrorSpec(400, "must provide avatar file.")
AVATAR_TOO_LARGE = ErrorSpec(400, "avatar file too large (max 4MB).")


class FriendsParams(msgspec.Struct, frozen=True, kw_only=True):
    """Where to begin."""

    offset: Offset = 0


class Friends(Success, frozen=True, kw_only=True):
    """A player's friends, by id."""

    friends: list[Friend]


@errors(*AUTHENTICATE_LEGACY)
async def get_friends(services: Services, params: FriendsParams, caller: Caller) -> Friends:
    """The friends of the player whose key it is; hidden ones are left out."""
    account = await authenticate_legacy(services, caller)
    friends = await services.database.all(
        catalogue.friends,
        id=account.id,
        visible=services.settings.visible,
        with_bot=services.settings.friends_with_bot,
        limit=services.settings.list_limit,
        offset=params.offset,
    )
    return Friends(friends=friends)


# What a body holds, by its media type. Of several only one is told: generated clients know no more.
ProfileBody = Annotated[Body, {"application/json": ProfileFields}]


class ProfileUpdated(Success, frozen=True, kw_only=True):
    """The fields that were changed, as they are now."""

    updated: ProfileFields


@errors(*AUTHENTICATE_LEGACY, NOT_ALLOWED, *FIELDS, *PROFILE, UNSTORABLE)
async def set_player_info(services: Services, _: NoParams, caller: Caller, body: ProfileBody) -> ProfileUpdated:
    """Changes what a player may change of the own profile: the fields given, as JSON or as a form."""
    account = await authenticate_legacy(services, caller, UNRESTRICTED)
    given, texts = await fields(body, LARGEST_PROFILE)
    change = profile_fields(given, texts=texts, strict_modes=services.settings.strict_modes)
    if not account.priv & SUPPORTER and any(getattr(change, name) is not UNSET for name in FOR_SUPPORTERS):
        raise NOT_ALLOWED()
    values: dict[str, Value] = {}
    for name in change.__struct_fields__:
        value = getattr(change, name)
        values |= {name: None if value is UNSET else value, f"set_{name}": value is not UNSET}
    try:
        await services.database.execute(catalogue.profile_change, id=account.id, **values)
    except Unstorable:
        raise UNSTORABLE() from None
    services.change_marker.bump()
    profile = await services.database.one(catalogue.profile, id=account.id)
    return ProfileUpdated(updated=_only(change, profile or change))


def _only(asked: ProfileFields, profile: ProfileFields) -> ProfileFields:
    """Of `profile` the fields that were asked for."""
    given = {name for name in asked.__struct_fields__ if getattr(asked, name) is not UNSET}
    return ProfileFields(**{name: getattr(profile, name) for name in given})


class AvatarForm(msgspec.Struct, frozen=True):
    """An avatar as a part of a form; `avatar_file` is the same."""

    avatar: ImageFile


AvatarBody = Annotated[Body, {"multipart/form-data": AvatarForm}]


class AvatarStored(msgspec.Struct, frozen=True):
    """The answer that clients of the first generation compare literally."""

    status: str = "success."


@errors(
    *AUTHENTICATE_LEGACY, NOT_ALLOWED, *READ, *MULTIPART, NO_AVATAR, AVATAR_TOO_LARGE, NOT_AN_AVATAR, NOT_STORED
)
async def set_avatar(services: Services, _: NoParams, caller: Caller, body: AvatarBody) -> AvatarStored:
    """Makes an image the avatar of the player whose key it is.

    The image is the body, or its multipart part `avatar` or `avatar_file`.
    """
    account = await authenticate_legacy(services, caller, VISIBLE)
    await services.avatars.put(account.id, await _image(body))
    return AvatarStored()


async def _image(body: Body) -> bytes:
    too_large = AVATAR_TOO_LARGE()
    if body.media_type != "multipart/form-data":
        image = await body.read(LARGEST_AVATAR, too_large)
    else:
        data = await body.read(LARGEST_AVATAR + AROUND_AVATAR, too_large)
        # A body made to be hard to take apart must not hold up everybody else.
        found = await asyncio.to_thread(parts, data, body.content_type)
        image = found.get("avatar", found.get("avatar_file", b""))
    if not image:
        raise NO_AVATAR()
    if len(image) > LARGEST_AVATAR:
        raise too_large
    return image
