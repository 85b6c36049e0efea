"""The append protocol holds in every interleaving of a few copies, and needs each safeguard."""

import pytest

from tests.unit.store.append_model import BrokenError, Model, Safeguard


@pytest.mark.parametrize(
    ("copies", "states"),
    [
        ("aa", 100),
        ("aab", 500),
        ("aaa", 5000),
        ("aabb", 20_000),
        ("aaab", 30_000),
        pytest.param("aaaa", 500_000, marks=pytest.mark.slow),
    ],
)
def test_a_message_is_stored_once_with_its_row_and_the_first_body(copies: str, states: int) -> None:
    assert Model(copies).check() > states, "some steps were not tried"


@pytest.mark.parametrize("safeguard", Safeguard, ids=lambda safeguard: safeguard.name.lower())
def test_each_safeguard_is_needed(safeguard: Safeguard) -> None:
    with pytest.raises(BrokenError):
        Model("aa", without=safeguard).check()
