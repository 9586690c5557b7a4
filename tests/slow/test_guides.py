"""The programs of docs/guides.md, each with a running service. What they show is compared with the rows."""

import asyncio
import io
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import Mock, create_autospec

import discord
import osrparse  # type: ignore[import-untyped]
import pytest
from discord.app_commands import AppCommandError, Command

from demo.build import DATABASE
from domain.mods import readable
from examples import discord_bot
from tests.conftest import ROOT, service
from tests.slow.osu_v1.world import Row, World
from tests.support import embed_drawing
from tests.support.browser import Browser
from tests.support.environments import node_packages, run
from tests.support.game_server import DOMAIN, game_server
from tests.support.http_stub import Answer, Asked, answering
from tests.support.new_scores import insert

EXAMPLES = ROOT / "examples"
PROFILE_PAGE = EXAMPLES / "profile-page"
GUIDES = (ROOT / "docs/guides.md").read_text(encoding="utf-8")
# As the examples name them.
API, AVATARS = "https://api.example.com", "https://a.example.com"
# In the demo world: a player with many scores, another one, and one whose best score in mode 4 has a replay.
PLAYER, OTHER, REPLAYED = 22, 40, 85
# Keys that the profile page uses.
KEYS = {"name", "country", "plays", "rank", "country_rank", "pp", "acc", "grade", "mods_readable"}
KEYS |= {"artist", "title", "version"}
COMMANDS = GUIDES.partition("\n## A profile page\n")[2].partition("```sh\n")[2].partition("```")[0]
TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
BEST = """
    SELECT s.*, m.artist, m.title, m.version FROM scores s JOIN maps m ON m.md5 = s.map_md5
    WHERE s.userid = ? AND s.mode = ? AND s.status = 2 AND m.status IN (2, 3) ORDER BY s.pp DESC, s.id DESC
"""
RECENT = """
    SELECT s.*, m.artist, m.title, m.version FROM scores s JOIN maps m ON m.md5 = s.map_md5
    WHERE s.userid = ? AND s.mode = 0 ORDER BY s.play_time DESC, s.id DESC
"""


class Here(NamedTuple):
    """A service with its own demo world, and the addresses that the examples use."""

    url: str
    avatars: str
    folder: Path
    world: World

    def pointed(self, text: str) -> str:
        """Return the text of an example with these addresses."""
        assert text.count(f'"{API}"') == text.count(f'"{AVATARS}"') == 1
        return text.replace(API, self.url).replace(AVATARS, self.avatars)

    def add(self, id: int, **columns: object) -> None:
        """Add a score, as the game server does."""
        with closing(sqlite3.connect(self.folder / DATABASE)) as connection:
            connection.execute(insert(id, **columns))
            connection.commit()


def avatar(asked: Asked) -> Answer:
    """A coloured square for each player: the demo world has no avatars."""
    hue = int(asked.path.strip("/")) * 47 % 360
    picture = f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8" width="96" height="96" fill="#fff">
        <rect width="8" height="8" fill="hsl({hue},50%,55%)"/><circle cx="4" cy="3" r="1.5"/>
        <ellipse cx="4" cy="8" rx="3" ry="3"/></svg>"""
    return Answer(200, picture.encode(), [("Content-Type", "image/svg+xml")])


@contextmanager
def website(folder: Path) -> Iterator[str]:
    """Serve the files of a folder. Yield the origin."""

    def answer(asked: Asked) -> Answer:
        file = folder / asked.path.partition("?")[0].lstrip("/")
        if file.name == "favicon.ico":  # which browsers ask every site for
            return Answer(204)
        return Answer(200, file.read_bytes(), [("Content-Type", TYPES[file.suffix])])

    with answering(answer) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def here(demo_folder: Path) -> Iterator[Here]:
    folder = demo_folder / ".data" / "demo"
    settings = {"database_url": f"sqlite:///{folder / DATABASE}", "data_directory": str(folder)}
    with game_server() as upstream, answering(avatar) as port:
        upstream.users = {PLAYER: "raskoshi", OTHER: "draiumgal"}
        with service(**settings, game_server_url=upstream.url, domain=DOMAIN) as client:
            url = str(client.base_url).rstrip("/")
            yield Here(url, f"http://127.0.0.1:{port}", folder, World(folder))


# The Discord bot


@pytest.fixture
def bot(here: Here, monkeypatch: pytest.MonkeyPatch) -> Here:
    """The bot's settings are those of this service."""
    monkeypatch.setenv("API", here.url)
    monkeypatch.setenv("AVATARS", here.avatars)
    return here


def sent(command: Command[Any, ..., Any], *options: object) -> Any:
    """Return what a command sends to Discord: an embed or a file."""
    interaction = Mock(spec=discord.Interaction)
    interaction.response = create_autospec(discord.InteractionResponse, instance=True)
    callback: Any = command.callback
    asyncio.run(callback(interaction, *options))
    ((message),) = interaction.response.send_message.await_args_list
    ((content),) = message.kwargs.values()
    return content


def fields(embed: discord.Embed) -> dict[str, str]:
    return {str(field.name): str(field.value) for field in embed.fields}


def test_the_bot_shows_a_profile(bot: Here) -> None:
    embed = sent(discord_bot.profile, "raskoshi")
    expected = bot.world.player(PLAYER, 0)
    assert (embed.title, embed.description) == (expected["name"], f"Country: {expected['country']}")
    assert embed.thumbnail.url == f"{bot.avatars}/{PLAYER}"
    (stats,) = bot.world.rows("SELECT * FROM stats WHERE id = ? AND mode = 0", PLAYER)
    assert fields(embed) == {
        "rank": f"{expected['rank']}",
        "country rank": f"{expected['country_rank']}",
        "pp": f"{stats['pp']:,}",
        "acc": f"{stats['acc']}",
        "plays": f"{stats['plays']:,}",
        "max combo": f"{stats['max_combo']}",
    }
    other_mode = fields(sent(discord_bot.profile, "raskoshi", 4))
    assert other_mode["rank"] == str(bot.world.player(PLAYER, 4)["rank"])
    assert fields(sent(discord_bot.profile, "raskoshi", 2))["rank"] == "–"


def test_the_bot_shows_the_latest_score(bot: Here) -> None:
    embed = sent(discord_bot.recent, "raskoshi")
    row = bot.world.rows(RECENT, PLAYER)[0]
    assert embed.title == "{artist} - {title} [{version}]".format_map(row)
    assert embed.author.name == "Raskoshi"
    numbers = "{pp:.0f} pp · {acc:.2f} % · {max_combo}x".format_map(row)
    assert embed.description == f"**{row['grade']}** {readable(row['mods'])} · {numbers}"


def test_the_bot_shows_pages_of_the_leaderboard(bot: Here) -> None:
    ranked = bot.world.rows(
        "SELECT u.name, s.pp FROM stats s JOIN users u ON u.id = s.id"
        " WHERE s.mode = 0 AND s.pp > 0 AND (u.priv & 3) = 3 ORDER BY s.pp DESC, s.id"
    )
    for page in (1, 2, 12):
        embed = sent(discord_bot.leaderboard, page)
        assert embed.title == f"Leaderboard, page {page}"
        expected = [
            f"{rank}. {discord.utils.escape_markdown(row['name'])}: {row['pp']:,} pp"
            for rank, row in enumerate(ranked, 1)
        ]
        assert embed.description.split("\n") == expected[10 * page - 10 : 10 * page]


def test_the_bot_sends_the_replay_of_the_best_score(bot: Here) -> None:
    best = bot.world.rows(BEST, REPLAYED, 4)[0]
    (player,) = bot.world.rows("SELECT name FROM users WHERE id = ?", REPLAYED)
    file = sent(discord_bot.replay, player["name"], 4)
    assert file.filename == f"{best['id']}.osr"
    assert isinstance(file.fp, io.BytesIO)
    content = file.fp.read()
    assert content == bot.world.sample(best["id"]).whole
    replay = osrparse.Replay.from_string(content)
    assert (replay.username, replay.score, replay.replay_id) == (player["name"], best["score"], best["id"])


def test_the_bot_shows_who_is_online(bot: Here) -> None:
    assert sent(discord_bot.online).description == "Raskoshi, DraiumGal"


@pytest.mark.parametrize(
    ("command", "options", "why"),
    [
        (discord_bot.profile, ("nobody at all",), "Player not found."),
        (discord_bot.profile, ("x",), "name must "),
        (discord_bot.recent, ("raskoshi", 5), "There are no scores yet."),
        (discord_bot.replay, ("raskoshi",), "Replay not found."),
    ],
)
def test_the_bot_says_why_it_cannot_answer(
    bot: Here, command: Command[Any, ..., Any], options: tuple[object, ...], why: str
) -> None:
    with pytest.raises(AppCommandError, match=re.escape(why)) as failure:
        sent(command, *options)
    interaction = Mock(spec=discord.Interaction)
    interaction.response = create_autospec(discord.InteractionResponse, instance=True)
    asyncio.run(discord_bot.failed(interaction, failure.value))
    interaction.response.send_message.assert_awaited_once_with(str(failure.value), ephemeral=True)


def test_discord_is_told_the_commands_of_the_guide() -> None:
    assert discord_bot.tree.on_error is discord_bot.failed
    told = {command.name: command.to_dict(discord_bot.tree) for command in discord_bot.tree.get_commands()}
    assert re.findall(r"^\| `/(\w+)` \|", GUIDES, re.MULTILINE) == list(told)
    options = {name: [option["name"] for option in command["options"]] for name, command in told.items()}
    assert options == {
        "profile": ["name", "mode"],
        "recent": ["name", "mode"],
        "leaderboard": ["page"],
        "replay": ["name", "mode"],
        "online": [],
    }


def test_the_embeds_are_drawn(bot: Here, browser: Browser, tmp_path: Path) -> None:
    embeds = [sent(discord_bot.profile, "raskoshi"), sent(discord_bot.recent, "raskoshi")]
    embeds += [sent(discord_bot.leaderboard), sent(discord_bot.online)]
    (tmp_path / "index.html").write_text(embed_drawing.page(embeds), encoding="utf-8")
    with website(tmp_path) as origin:
        browser.open(f"{origin}/index.html", 526, "dark")
        for article, embed in zip(browser.all("article"), embeds, strict=True):
            for text in (str(embed.title), *fields(embed).values()):
                assert text in article.text
        browser.wait(lambda _: browser.run("return document.images[0].naturalWidth > 0"), "the avatar")
        browser.screenshot(tmp_path / "guide-discord.png", browser.run("return document.body.scrollHeight"))
        assert browser.console() == []
        assert browser.origins() == {origin, bot.avatars}


# The profile page


@pytest.fixture(scope="module")
def built(here: Here, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Builds the page as docs/guides.md describes, and returns the folder that it is in."""
    assert pytestconfig.cache is not None
    locked = [PROFILE_PAGE / "package.json", PROFILE_PAGE / "package-lock.json"]
    packages = node_packages(pytestconfig.cache, "profile-page", locked)
    folder = tmp_path_factory.mktemp("profile-page")
    for name in ("index.html", "tsconfig.json"):
        shutil.copy(PROFILE_PAGE / name, folder)
    program = here.pointed((PROFILE_PAGE / "profile.ts").read_text(encoding="utf-8"))
    (folder / "profile.ts").write_text(program, encoding="utf-8")
    (folder / "node_modules").symlink_to(packages / "node_modules")
    assert COMMANDS.startswith("cd examples/profile-page\nnpm ci\n")
    commands = COMMANDS.partition("npm ci\n")[2].replace(API, here.url)
    run(["sh", "-ec", f"cd '{folder}'\n{commands}"])
    return folder


def rows(browser: Browser, table: str) -> list[list[str]]:
    """Return the texts of a table on the page."""
    script = (
        "return [...document.querySelectorAll(arguments[0])].map(row => [...row.cells].map(c => c.textContent))"
    )
    texts: list[list[str]] = browser.run(script, f"#{table} tbody tr")
    return texts


def best_row(score: Row) -> list[str]:
    """Return the texts of a best score on the page."""
    title = "{artist} - {title} [{version}]".format_map(score)
    grade = str(score["grade"]).replace("X", "SS").removesuffix("H")
    return [grade, title, readable(score["mods"]), f"{score['acc']:.2f} %", f"{score['pp']:.0f} pp"]


def test_the_page_shows_a_profile(here: Here, built: Path, browser: Browser, tmp_path: Path) -> None:
    with website(built) as origin:
        browser.open(f"{origin}/index.html?id={PLAYER}", 880, "light")
        expected = here.world.player(PLAYER, 0)
        browser.one("#name", expected["name"])
        assert browser.one("#country").text == "Finland"
        assert browser.one("#avatar").get_attribute("src") == f"{here.avatars}/{PLAYER}"
        browser.wait(lambda _: rows(browser, "best"), "the best scores")
        best = here.world.rows(BEST, PLAYER, 0)[:10]
        assert rows(browser, "best") == [best_row(score) for score in best]
        played = here.world.rows("SELECT * FROM stats WHERE id = ? AND plays > 0 ORDER BY mode", PLAYER)
        stats = rows(browser, "stats")
        assert [row[3:] for row in stats] == [
            [f"{row['pp']:,}", f"{row['acc']:.2f} %", f"{row['plays']:,}"] for row in played
        ]
        assert stats[0][:3] == ["osu!", f"#{expected['rank']}", f"#{expected['country_rank']}"]
        assert stats[1][:3] == ["taiko", "–", "–"]
        browser.wait(lambda _: browser.run("return document.images[0].naturalWidth > 0"), "the avatar")
        browser.screenshot(tmp_path / "guide-profile-page.png", browser.run("return document.body.scrollHeight"))
        browser.click(browser.one("#stats a", "osu! Relax"))
        browser.one("#mode", "osu! Relax")
        assert rows(browser, "best")[0] == best_row(here.world.rows(BEST, PLAYER, 4)[0])
        assert browser.console() == []
        assert browser.origins() == {origin, here.url, here.avatars}
        assert browser.overflow() == 0


def test_the_page_says_that_there_is_no_such_player(built: Path, browser: Browser) -> None:
    with website(built) as origin:
        browser.open(f"{origin}/index.html?id=999999", 880, "light")
        browser.one("#name", "Player not found.")


def test_the_page_does_not_compile_with_another_api(built: Path, tmp_path: Path) -> None:
    shutil.copytree(built, tmp_path / "page", symlinks=True)
    types = (built / "api.d.ts").read_text(encoding="utf-8")
    renamed = re.sub(rf"^( +)({'|'.join(KEYS)})(\??: )", r"\1\2_renamed\3", types, flags=re.MULTILINE)
    (tmp_path / "page" / "api.d.ts").write_text(renamed, encoding="utf-8")
    tsc = built / "node_modules" / ".bin" / "tsc"
    compiled = subprocess.run([tsc, "--project", tmp_path / "page"], capture_output=True, text=True)
    assert compiled.returncode != 0
    assert set(re.findall(r"Property '(\w+)' does not exist", compiled.stdout)) == KEYS


# The overlay


@pytest.fixture
def overlay(here: Here, tmp_path: Path) -> str:
    """The URL of the overlay, which is a local file."""
    file = tmp_path / "overlay.html"
    text = (EXAMPLES / "overlay.html").read_text(encoding="utf-8")
    file.write_text(here.pointed(text), encoding="utf-8")
    return file.as_uri()


@pytest.fixture(scope="module")
def ids() -> Iterator[int]:
    """Ids of new scores."""
    return count(7001)


def lines(browser: Browser) -> list[list[str]]:
    """Return the texts of the scores on the overlay."""
    script = (
        "return [...document.querySelectorAll('li')].map("
        "li => [...li.querySelectorAll('b, span, small')].map(e => e.textContent))"
    )
    texts: list[list[str]] = browser.run(script)
    return texts


def wait_for_stream(browser: Browser) -> None:
    browser.wait(lambda _: browser.run("return events.readyState === EventSource.OPEN"), "the stream")


def test_the_overlay_shows_the_scores_of_a_player(
    here: Here, browser: Browser, overlay: str, ids: Iterator[int]
) -> None:
    browser.open(f"{overlay}?id={PLAYER}", 512, "dark")
    wait_for_stream(browser)
    first, second = here.world.rows("SELECT * FROM maps WHERE id IN (436, 726) ORDER BY id")
    played = {"pp": 81.6, "acc": 97.5, "mods": 8 | 64, "grade": "A", "max_combo": 66}
    here.add(next(ids), userid=PLAYER, map_md5=first["md5"], **played)
    here.add(next(ids), userid=OTHER, map_md5=first["md5"], **played)
    here.add(next(ids), userid=PLAYER, map_md5=second["md5"], **played | {"pp": 120.4, "mods": 0, "grade": "S"})
    browser.wait(lambda _: len(lines(browser)) == 2, "two scores")
    assert lines(browser) == [
        ["Raskoshi", f"{second['title']} [{second['version']}]", "S · NM · 97.50 % · 66x", "120 pp"],
        ["Raskoshi", f"{first['title']} [{first['version']}]", "A · HDDT · 97.50 % · 66x", "82 pp"],
    ]
    assert {image.get_attribute("src") for image in browser.all("img")} == {f"{here.avatars}/{PLAYER}"}
    for pp in (201.0, 202.0, 203.0, 204.0):
        here.add(next(ids), userid=PLAYER, map_md5=first["md5"], pp=pp)
    browser.wait(lambda _: lines(browser)[0][-1] == "204 pp", "the last score")
    assert [line[-1] for line in lines(browser)] == ["204 pp", "203 pp", "202 pp", "201 pp", "120 pp"]
    assert browser.console() == []
    assert browser.origins() == {"file://", here.url, here.avatars}


def test_the_overlay_shows_the_scores_of_all_players(
    here: Here, browser: Browser, overlay: str, ids: Iterator[int], tmp_path: Path
) -> None:
    browser.open(overlay, 512, "dark")
    wait_for_stream(browser)
    best = here.world.rows(f"{BEST} LIMIT 3", OTHER, 0) + here.world.rows(f"{BEST} LIMIT 2 OFFSET 1", PLAYER, 0)
    for row in best[1:]:
        columns = {name: row[name] for name in ("userid", "map_md5", "pp", "acc", "mods", "grade", "max_combo")}
        here.add(next(ids), **columns)
    here.add(next(ids), userid=OTHER, map_md5="0" * 32, pp=12.3)
    browser.wait(lambda _: len(lines(browser)) == 5, "five scores")
    names = {PLAYER: "Raskoshi", OTHER: "DraiumGal"}
    expected = [
        [names[row["userid"]], f"{row['title']} [{row['version']}]", f"{row['pp']:.0f} pp"] for row in best[1:]
    ]
    expected.append(["DraiumGal", "an unknown beatmap", "12 pp"])
    assert [[name, title, pp] for name, title, _, pp in lines(browser)] == expected[::-1]
    assert browser.run("return getComputedStyle(document.querySelector('li')).animationName") == "enter"
    browser.wait(lambda _: browser.run("return document.getAnimations().length === 0"), "the end of the animation")
    # In place of what is streamed.
    browser.run("document.body.style.background = '#7a8a99'")
    browser.screenshot(tmp_path / "guide-overlay.png", browser.run("return document.body.offsetHeight"))
    assert browser.console() == []


def test_the_overlay_tries_again_when_it_is_refused(
    here: Here, browser: Browser, overlay: str, tmp_path: Path, ids: Iterator[int]
) -> None:
    database = f"sqlite:///{here.folder / DATABASE}"
    with service(database_url=database, event_streams_per_client="1", rate_limit_exempt="") as client:
        url = str(client.base_url).rstrip("/")
        file = tmp_path / "overlay.html"
        file.write_text(file.read_text("utf-8").replace(here.url, url), encoding="utf-8")
        with client.stream("GET", "/v1/events") as stream:
            assert stream.status_code == 200
            browser.open(overlay, 512, "dark")
            browser.wait(lambda _: browser.run("return events.readyState === EventSource.CLOSED"), "a refusal")
            assert "429" in browser.console()[0]
        wait_for_stream(browser)
        here.add(next(ids), userid=PLAYER, pp=33.0)
        browser.wait(lambda _: lines(browser), "a score")
        assert lines(browser)[0][-1] == "33 pp"
