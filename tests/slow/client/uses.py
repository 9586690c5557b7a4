"""A program that uses the generated client. The tests run it and check its types.

Its arguments are the URL of a service on the demo world and an API key.
"""

import sys

from apidot_client import AuthenticatedClient, Client
from apidot_client.api.accounts import get_friends, set_player_info
from apidot_client.api.players import get_player_info, get_player_status
from apidot_client.api.players_v2 import v2_get_player, v2_get_players
from apidot_client.api.replays_v2 import v2_get_replay
from apidot_client.api.scores import get_player_scores
from apidot_client.models import (
    Failure,
    FriendList,
    InvalidParams,
    PlayerDetailsItem,
    PlayerDetailsPage,
    PlayerInfo,
    PlayerScores,
    PlayerStatusInfo,
    ProfileFields,
    ProfileUpdated,
    V2Failure,
)
from apidot_client.types import File, Unset


def anonymous(client: Client) -> None:
    info = get_player_info.sync(client=client, scope="all", id=4)
    assert isinstance(info, PlayerInfo)
    assert not isinstance(info.player.info, Unset)
    name: str = info.player.info.name
    assert name == "demo player"
    assert not isinstance(info.player.stats, Unset)
    pp: int = info.player.stats.additional_properties["0"].pp
    assert pp > 0

    scores = get_player_scores.sync(client=client, scope="best", id=22, limit=3)
    assert isinstance(scores, PlayerScores)
    assert [type(score.pp) for score in scores.scores] == [float] * 3
    assert scores.scores[0].beatmap
    assert scores.scores[0].beatmap.title

    status = get_player_status.sync(client=client, name="demo player")
    assert isinstance(status, PlayerStatusInfo)
    assert not status.player_status.online
    assert isinstance(status.player_status.last_seen, int)

    page = v2_get_players.sync(client=client, page_size=2)
    assert isinstance(page, PlayerDetailsPage)
    assert len(page.data) == page.meta.page_size == 2
    player = v2_get_player.sync(client=client, player_id=page.data[0].name)
    assert isinstance(player, PlayerDetailsItem)
    assert player.data == page.data[0]

    replay = v2_get_replay.sync(client=client, score_id=461)
    assert isinstance(replay, File)
    assert len(replay.payload.read()) > 1000


def failing(client: Client) -> None:
    nobody = get_player_info.sync_detailed(client=client, scope="info", id=2_000_000_000)
    assert nobody.status_code == 404
    assert isinstance(nobody.parsed, Failure)
    assert nobody.parsed.status == "Player not found."
    second = v2_get_replay.sync(client=client, score_id=2_000_000_000)
    assert isinstance(second, V2Failure)
    assert second.error == "Replay not found."
    wrong = get_player_info.sync(client=client, scope="info", id=1)
    assert isinstance(wrong, InvalidParams)
    assert wrong.detail[0].loc == ["query", "id"]


def authenticated(client: AuthenticatedClient) -> None:
    friends = get_friends.sync(client=client)
    assert isinstance(friends, FriendList)
    assert friends.friends[0].name
    updated = set_player_info.sync(client=client, body=ProfileFields(preferred_mode=5))
    assert isinstance(updated, ProfileUpdated)
    assert updated.updated.preferred_mode == 5


if __name__ == "__main__":
    url, key = sys.argv[1:]
    anonymous(Client(base_url=url))
    failing(Client(base_url=url))
    authenticated(AuthenticatedClient(base_url=url, token=key))
