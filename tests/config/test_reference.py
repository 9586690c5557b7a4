"""docs/settings.md and .env.example are generated from the settings."""

from dataclasses import Field
from typing import Any

import pytest

from config.reference import ENV_EXAMPLE, MARKDOWN, default_of, env_example, markdown
from config.settings import all_settings


def test_the_table_of_settings_is_current() -> None:
    current = MARKDOWN.read_text(encoding="utf-8")
    assert current == markdown(current), "docs/settings.md is out of date: run `make settings`"


def test_the_example_settings_file_is_current() -> None:
    assert ENV_EXAMPLE.read_text(encoding="utf-8") == env_example(), (
        ".env.example is out of date: run `make settings`"
    )


def test_every_setting_is_in_both_with_its_default() -> None:
    for field in all_settings():
        name, default = field.name.upper(), default_of(field)
        assert f"\n| `{name}` | {f'`{default}`' if default else ''} |" in markdown("")
        assert f"\n#{name}={default}\n" in env_example()


@pytest.mark.parametrize("field", all_settings(), ids=lambda field: field.name)
def test_every_setting_has_a_description_that_fits_into_a_table(field: Field[Any]) -> None:
    description = field.metadata["description"]
    assert description.endswith(".")
    assert "|" not in description


def test_the_settings_begin_with_a_heading_and_no_heading_is_repeated() -> None:
    headings = [field.metadata["heading"] for field in all_settings()]
    assert headings[0]
    named = [heading for heading in headings if heading]
    assert len(named) == len(set(named))
