"""The rules for names and messages. text_rules.json has a case for each, shared with the page's tests."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.protocol import text
from tests.unit.protocol.page import evaluate, needs_node

RULES: dict[str, dict[str, Any]] = json.loads((Path(__file__).parent / "text_rules.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("given_name", "cleaned"), RULES["names"].values(), ids=RULES["names"])
def test_a_name_is_accepted(given_name: str, cleaned: str) -> None:
    assert text.clean_name(given_name) == cleaned


@pytest.mark.parametrize("given_name", RULES["not_names"].values(), ids=RULES["not_names"])
def test_a_name_is_refused(given_name: str) -> None:
    assert text.clean_name(given_name) is None


@pytest.mark.parametrize("message", RULES["invisible_messages"].values(), ids=RULES["invisible_messages"])
def test_an_invisible_message_is_recognised(message: str) -> None:
    assert not text.is_visible(message)


@given(st.text(max_size=60))
def test_an_accepted_name_is_visible_short_and_accepted_again_unchanged(given_name: str) -> None:
    name = text.clean_name(given_name)
    if name is not None:
        assert text.is_visible(name)
        assert 1 <= len(name) <= text.MAX_NAME_CHARACTERS
        assert text.clean_name(name) == name
        assert name.encode()


@given(st.text(alphabet=st.sampled_from("aé\u0301\u200b\xad\u2060\ufeff \u3000\u200d"), max_size=12))
def test_paste_leftovers_never_turn_one_name_into_two(given_name: str) -> None:
    name = text.clean_name(given_name)
    assert name is None or text.clean_name(name) == name


@needs_node
def test_the_page_has_the_same_rules() -> None:
    alphabet = list(
        "a\u00e9 \n\t\x85\0\u0301\u200b\u200c\u200d\u200f\u2028\u2800\u3164\u3000\xad\ufe0f\ufeff\u202e\u2066\u0378"
    )
    alphabet += [
        "\U0001fae9",
        "\U000e0100",
        "\U000e0067",
        "\U000e007f",
        "\U0001f3f4\U000e0067\U000e0062\U000e007f",
        "\ud800",
    ]
    draw = Random(11)
    drawn = ["".join(draw.choices(alphabet, k=draw.choice([1, 2, 3, 5, 8, 41]))) for _ in range(3000)]
    given = [*(name for name, _ in RULES["names"].values()), *RULES["not_names"].values(), *drawn]
    given += RULES["invisible_messages"].values()
    in_page = evaluate(
        "model/text.js", "given.map((one) => [page.cleanName(one) ?? null, page.isVisible(one), page.trim(one)])", given
    )
    for one, said in zip(given, in_page, strict=True):
        assert said == [text.clean_name(one), text.is_visible(one), text.trim(one)], ascii(one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Anna", "ANNA"),
        ("Anna", "\uff21\uff4e\uff4e\uff41"),
        ("Anna", "\u0410nn\u0430"),
        ("Tom", "\u0422\u041e\u041c"),
        ("Nora", "N\u03bfra"),
        ("Ian", "lan"),
        ("Ian", "1an"),
        ("Bob", "B0b"),
        ("Anna", "An\u200cna"),
        ("Stra\u00dfe", "STRASSE"),
        ("O'Neil", "O\u2019Neil"),
        ("Jean-Luc", "Jean\u2013Luc"),
        ("\ufb01a", "fia"),
        ("\u00e1nna", "a\u0301nna"),
        ("\u00e1nna", "a\u200d\u0301nna"),
        ("\u00e1nna", "\u0430\u0301nna"),
    ],
)
def test_names_that_look_the_same_are_folded_alike(one: str, other: str) -> None:
    assert text.fold_name(one) == text.fold_name(other)


@pytest.mark.parametrize(
    ("one", "other"), [("Anna", "Ana"), ("Zo\u00eb", "Zoe"), ("Ben 2", "Ben"), ("\u674e", "\u5b50")]
)
def test_different_names_stay_different(one: str, other: str) -> None:
    assert text.fold_name(one) != text.fold_name(other)


@given(st.text(min_size=1, max_size=40))
def test_a_folded_name_is_a_key(given_name: str) -> None:
    name = text.clean_name(given_name)
    if name is not None:
        assert 1 <= len(text.fold_name(name).encode()) <= 2000, "a partition key has 1 to 2,048 bytes"


def test_the_longest_expansion_of_a_name_is_a_key() -> None:
    assert len(text.fold_name("\ufdfa" * text.MAX_NAME_CHARACTERS).encode()) <= 2000
