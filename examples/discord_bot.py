"""A Discord bot that shows players of an osu! server. It needs `pip install discord.py`.

DISCORD_TOKEN=… API=https://api.example.com AVATARS=https://a.example.com python discord_bot.py
"""

from io import BytesIO
from os import environ
from typing import Any, Literal

import aiohttp
from discord import Client, Embed, File, Intents, Interaction
from discord.app_commands import AppCommandError, CommandTree, Range
from discord.utils import escape_markdown

Mode = Literal[0, 1, 2, 3, 4, 5, 6, 8]
client = Client(intents=Intents.default())
tree = CommandTree(client)


async def get(endpoint: str, **params: str | int) -> Any:
    async with aiohttp.ClientSession(environ["API"]) as api, api.get(f"/v1/{endpoint}", params=params) as response:
        if not response.ok:
            raise AppCommandError((await response.json())["status"])
        return await (response.read() if endpoint == "get_replay" else response.json())


async def first_score(scope: str, name: str, mode: Mode) -> Any:
    if scores := (await get("get_player_scores", scope=scope, name=name, mode=mode, limit=1))["scores"]:
        return scores[0]
    raise AppCommandError("There are no scores yet.")


@tree.command(description="A player's ranks and statistics")
async def profile(interaction: Interaction, name: str, mode: Mode = 0) -> None:
    player = (await get("get_player_info", scope="all", name=name))["player"]
    info, stats = player["info"], player["stats"][str(mode)]
    card = Embed(title=info["name"], description=f"Country: {info['country'].upper()}")
    for key in ("rank", "country_rank", "pp", "acc", "plays", "max_combo"):
        card.add_field(name=key.replace("_", " "), value=f"{stats[key]:,}" if stats[key] else "–")
    await interaction.response.send_message(embed=card.set_thumbnail(url=f"{environ['AVATARS']}/{info['id']}"))


@tree.command(description="A player's latest score")
async def recent(interaction: Interaction, name: str, mode: Mode = 0) -> None:
    score = await first_score("recent", name, mode)
    beatmap = score["beatmap"] or {"artist": "?", "title": "?", "version": "?"}
    card = Embed(title="{artist} - {title} [{version}]".format_map(beatmap))
    card.description = "**{grade}** {mods_readable} · {pp:.0f} pp · {acc:.2f} % · {max_combo}x".format_map(score)
    await interaction.response.send_message(embed=card.set_author(name=score["player_name"]))


@tree.command(description="The leaderboard, ten players a page")
async def leaderboard(interaction: Interaction, page: Range[int, 1] = 1) -> None:
    answer = await get("get_leaderboard", limit=10, offset=10 * (page - 1))
    rows = enumerate(answer["leaderboard"], answer["offset"] + 1)
    text = "\n".join(f"{rank}. {escape_markdown(row['name'])}: {row['pp']:,} pp" for rank, row in rows)
    await interaction.response.send_message(embed=Embed(title=f"Leaderboard, page {page}", description=text))


@tree.command(description="The replay of a player's best score")
async def replay(interaction: Interaction, name: str, mode: Mode = 0) -> None:
    id = (await first_score("best", name, mode))["id"]
    await interaction.response.send_message(file=File(BytesIO(await get("get_replay", id=id)), f"{id}.osr"))


@tree.command(description="Who is online")
async def online(interaction: Interaction) -> None:
    text = ", ".join(escape_markdown(player["name"]) for player in (await get("online"))["players"])
    await interaction.response.send_message(embed=Embed(title="Online now", description=text[:4096] or "Nobody"))


@tree.error
async def failed(interaction: Interaction, error: AppCommandError) -> None:
    await interaction.response.send_message(str(error), ephemeral=True)


@client.event
async def setup_hook() -> None:
    await tree.sync()


if __name__ == "__main__":
    client.run(environ["DISCORD_TOKEN"])
