"""The account that an API key belongs to: friends, profile and avatar."""

import asyncio
from typing import Annotated

import msgspec
from msgspec import Meta

from api.request.auth import LEGACY_AUTH_ERRORS, NOT_ALLOWED, Caller, authenticate_legacy
from api.request.body import FIELDS_ERRORS, READ_ERRORS, Body, read_fields
from api.request.multipart import MULTIPART_ERRORS, parts
from api.request.params import NoParams, Offset
from api.response.encoded import Success
from api.response.errors import errors
from api.services import Services
from domain.accounts import FOR_SUPPORTERS, PROFILE, SUPPORTER, Friend, ProfileFields, profile_fields
from domain.errors import ErrorSpec, Unavailable
from domain.players import UNRESTRICTED, VISIBLE
from storage.database import catalogue
from storage.database.database import Unstorable
from storage.database.statement import Value
from storage.files.avatars import AVATAR_ERRORS

# In bytes.
MAX_AVATAR = 4 * 1024 * 1024
MAX_PROFILE = 65_536
# What the boundaries, headers and other parts of a multipart body may take beside the avatar.
MAX_MULTIPART_OVERHEAD = 65_536

ImageFile = Annotated[
    bytes, Meta(description="A PNG, JPEG or GIF of at most 4 MiB.", extra_json_schema={"format": "binary"})
]

UNSTORABLE = ErrorSpec(400, "A text holds characters that the game server's database cannot keep.")
NO_AVATAR = ErrorSpec(400, "must provide avatar file.")
AVATAR_TOO_LARGE = ErrorSpec(400, "avatar file too large (max 4MB).")


class FriendsParams(msgspec.Struct, frozen=True, kw_only=True):
    offset: Offset = 0


class FriendList(Success, frozen=True, kw_only=True):
    """A player's friends, ordered by ID."""

    friends: Annotated[list[Friend], Meta(description="The friends, ordered by ID.")]


@errors(*LEGACY_AUTH_ERRORS)
async def get_friends(services: Services, params: FriendsParams, caller: Caller) -> FriendList:
    """The friends of the player that the API key belongs to.

    They are ordered by ID; the operator's `LIST_LIMIT` is the maximum number of them. Restricted and unverified
    players are left out.
    """
    account = await authenticate_legacy(services, caller)
    friends = await services.database.all(
        catalogue.friends,
        id=account.id,
        visible=services.settings.visible,
        with_bot=services.settings.friends_with_bot,
        limit=services.settings.list_limit,
        offset=params.offset,
    )
    return FriendList(friends=friends)


# The content of a body by media type. Forms are accepted too, but only one type is documented, because generated
# clients support no more.
ProfileBody = Annotated[Body, {"application/json": ProfileFields}]


class ProfileUpdated(Success, frozen=True, kw_only=True):
    """The fields that were changed, with their new values."""

    updated: Annotated[ProfileFields, Meta(description="The changed fields with their new values.")]


@errors(*LEGACY_AUTH_ERRORS, NOT_ALLOWED, *FIELDS_ERRORS, *PROFILE, UNSTORABLE)
async def set_player_info(services: Services, _: NoParams, caller: Caller, body: ProfileBody) -> ProfileUpdated:
    """Change the profile of the player that the API key belongs to.

    The body has the fields to change, as JSON or as a form; other fields stay unchanged. Restricted players may
    not change their profile, and only supporters may change the badge.
    """
    account = await authenticate_legacy(services, caller, UNRESTRICTED)
    given, texts = await read_fields(body, MAX_PROFILE)
    change = profile_fields(given, texts=texts, strict_modes=services.settings.strict_modes)
    # Without the fields that are not set.
    changed: dict[str, Value] = msgspec.to_builtins(change)
    if not account.priv & SUPPORTER and not changed.keys().isdisjoint(FOR_SUPPORTERS):
        raise NOT_ALLOWED()
    values: dict[str, Value] = {}
    for name in ProfileFields.__struct_fields__:
        values |= {name: changed.get(name), f"set_{name}": name in changed}
    try:
        await services.database.execute(catalogue.profile_change, id=account.id, **values)
    except Unstorable:
        raise UNSTORABLE() from None
    except Unavailable:
        # It may have been made.
        await services.change_marker.bump()
        raise
    await services.change_marker.bump()
    # Not what the database has stored: another server of a cluster, which lags behind, might be asked for it.
    return ProfileUpdated(updated=change)


class AvatarForm(msgspec.Struct, frozen=True):
    """A form with the image as `avatar`. The name `avatar_file` is accepted too."""

    avatar: ImageFile


AvatarBody = Annotated[Body, {"multipart/form-data": AvatarForm}]


class AvatarStored(msgspec.Struct, frozen=True):
    """Confirmation, in the words that the oldest clients compare literally."""

    status: Annotated[str, Meta(description="Always `success.`, with a full stop.")] = "success."


@errors(
    *LEGACY_AUTH_ERRORS,
    NOT_ALLOWED,
    *READ_ERRORS,
    *MULTIPART_ERRORS,
    NO_AVATAR,
    AVATAR_TOO_LARGE,
    *AVATAR_ERRORS,
)
async def set_avatar(services: Services, _: NoParams, caller: Caller, body: AvatarBody) -> AvatarStored:
    """Change the avatar of the player that the API key belongs to.

    The image is the body, or its multipart part `avatar` or `avatar_file`: a PNG, JPEG or GIF of at most 4 MiB.
    It is encoded anew, without metadata. Restricted and unverified players may not change their avatar. A player
    may upload one avatar at a time.
    """
    account = await authenticate_legacy(services, caller, VISIBLE)
    async with services.avatars.uploading(account.id):
        image = await _image(body)
        async with body.until_disconnected():
            avatar = await services.avatars.decode(account.id, image)
        await services.avatars.store(account.id, avatar)
    return AvatarStored()


async def _image(body: Body) -> bytes:
    too_large = AVATAR_TOO_LARGE()
    if body.media_type != "multipart/form-data":
        image = await body.read(MAX_AVATAR, too_large)
    else:
        data = await body.read(MAX_AVATAR + MAX_MULTIPART_OVERHEAD, too_large)
        # In a thread, because a body can be made to be slow to parse.
        found = await asyncio.to_thread(parts, data, body.content_type)
        image = found.get("avatar", found.get("avatar_file", b""))
    if not image:
        raise NO_AVATAR()
    if len(image) > MAX_AVATAR:
        raise too_large
    return image
