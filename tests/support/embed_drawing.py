"""Draw the embeds of a Discord bot as a web page. It resembles Discord, and shows every text of an embed."""

import re
from collections.abc import Iterable
from html import escape
from typing import Any

import discord

HEAD = (
    '<!DOCTYPE html><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Embeds</title>'
)
STYLE = """
body { margin: 0; padding: 16px; background: #313338; color: #dbdee1; font: 15px/1.4 system-ui, sans-serif; }
article { position: relative; width: 460px; margin-bottom: 12px; padding: 12px 16px; background: #2b2d31;
          border-left: 4px solid #5865f2; border-radius: 4px; }
h1 { margin: 0 0 6px; font-size: 17px; color: #fff; }
small { display: block; margin-bottom: 4px; font-weight: bold; }
p { margin: 0; }
img { position: absolute; top: 12px; right: 16px; width: 72px; height: 72px; border-radius: 4px; }
dl { display: grid; grid-template-columns: repeat(3, 1fr); gap: 8px; margin: 8px 92px 0 0; font-size: 14px; }
dt { font-weight: bold; color: #fff; }
dd { margin: 0; }
"""


def page(embeds: Iterable[discord.Embed]) -> str:
    """Return the page with these embeds, drawn from what is sent to Discord."""
    drawn = "".join(_article(embed.to_dict()) for embed in embeds)
    return f"{HEAD}<style>{STYLE}</style>{drawn}"


def _article(embed: Any) -> str:
    parts = []
    if "author" in embed:
        parts.append(f"<small>{escape(embed['author']['name'])}</small>")
    parts.append(f"<h1>{escape(embed['title'])}</h1><p>{_markdown(embed.get('description', ''))}</p>")
    if "thumbnail" in embed:
        parts.append(f'<img alt="" src="{escape(embed["thumbnail"]["url"])}">')
    fields = "".join(
        f"<div><dt>{escape(field['name'])}</dt><dd>{_markdown(field['value'])}</dd></div>"
        for field in embed.get("fields", ())
    )
    return f"<article>{''.join(parts)}<dl>{fields}</dl></article>"


def _markdown(text: str) -> str:
    """Bold text, line breaks, and characters that a backslash keeps from being markup."""
    text = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", escape(text))
    return re.sub(r"\\(\W|_)", r"\1", text).replace("\n", "<br>")
