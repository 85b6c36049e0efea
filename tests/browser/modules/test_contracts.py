"""What the page and the server must agree on: the protocol's page, and the rules for names and messages."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page

from chat.protocol import frames_out, text

pytestmark = pytest.mark.browser
PROTOCOL = (Path(__file__).resolve().parents[3] / "docs" / "protocol.md").read_text(encoding="utf-8")
LAST_CODE_POINT = 0x10FFFF
SCOTLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"
WORDS = [
    "",
    "Ada Lovelace",
    "\u200d\ufe0f",
    f"{SCOTLAND} Mo",
    SCOTLAND[:2],
    " a\u2003 b ",
    "e\u0301",
    "x" * 40,
    "x" * 41,
]


def tables(heading: str) -> list[list[list[str]]]:
    """Return the cells of each table below a heading."""
    section = re.split(rf"\n##+ {heading}\n", PROTOCOL)[1].split("\n##")[0]
    found = re.findall(r"(?:^\|.*\n)+", section, re.MULTILINE)
    return [
        [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines.splitlines()[2:]]
        for lines in found
    ]


def test_the_page_reads_the_frames_that_the_protocol_describes(modules: Page) -> None:
    described: dict[str, dict[str, bool]] = {}
    for heading in ("From the server", "From the server, with accounts"):
        for kind, field, form, *_ in tables(heading)[0]:
            frame = kind.strip("`") or list(described)[-1]
            described.setdefault(frame, {})[field.strip("`")] = "optional" in form or "absent" in form
    read = modules.evaluate("""async () => {
        const { FRAMES } = await import("/client/protocol.js");
        const { ACCOUNT_FRAMES } = await import("/client/account-requests.js");
        const mapped = (object, change) =>
            Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
        return mapped({ ...FRAMES, ...ACCOUNT_FRAMES }, fields => mapped(fields, check => check(undefined)));
    }""")
    assert read == described


def test_the_page_has_the_error_codes_and_limits_of_the_protocol(modules: Page) -> None:
    public, of_accounts = ([code.strip("`") for code, *_ in table] for table in tables("Error codes"))
    codes, rooms, listed = modules.evaluate("""async () => {
        const { ErrorCode, MAX_LISTED_MEMBERS, MAX_ROOMS } = await import("/client/protocol.js");
        return [Object.values(ErrorCode), MAX_ROOMS, MAX_LISTED_MEMBERS];
    }""")
    assert codes[: len(public)] == public
    assert set(codes[len(public) :]) <= set(of_accounts)
    assert f"A connection may be in {rooms} rooms at once" in PROTOCOL
    assert f"who is here, at most {listed}" in PROTOCOL


def test_page_and_server_compute_the_same_checksum_of_members(modules: Page) -> None:
    people = [("b=", "Ada 🙂", "s1"), ("a=", "مریم", "s2", "user-1"), ("ab=", "", "s3")]
    members = [frames_out.Person(*each) for each in people]
    for some in (members, members[:1], []):
        checksum = modules.evaluate(
            """async list => {
                const { Members } = await import("/client/members.js");
                const members = new Members();
                members.reset(list, list.length);
                return members.checksum;
            }""",
            [member.fields() for member in some],
        )
        assert checksum == frames_out.roster_checksum(some)


def test_page_and_server_judge_every_character_alike(modules: Page) -> None:
    """The rules must not depend on which Unicode version a browser or an interpreter has."""
    differing = modules.evaluate(
        """async ([last, trimmed, visible, fit]) => {
            const { trim, isVisible, cleanName } = await import("/model/text.js");
            const differing = [];
            for (let code = 0; code <= last; code += 1) {
                const one = String.fromCodePoint(code);
                const judged = [trim(one) === "", isVisible(one), cleanName(`a${one}b`) !== undefined];
                const expected = [trimmed, visible, fit].map(bits => bits[code] === "1");
                if (judged.join() !== expected.join()) differing.push(code.toString(16));
            }
            return differing;
        }""",
        [
            LAST_CODE_POINT,
            *(
                "".join("01"[judge(chr(code))] for code in range(LAST_CODE_POINT + 1))
                for judge in (
                    lambda one: text.trim(one) == "",
                    text.is_visible,
                    lambda one: text.clean_name(f"a{one}b") is not None,
                )
            ),
        ],
    )
    assert differing == []


def test_page_and_server_make_the_same_name_of_what_is_typed(modules: Page) -> None:
    cleaned = modules.evaluate(
        """async words => {
            const { cleanName } = await import("/model/text.js");
            return words.map(word => cleanName(word) ?? null);
        }""",
        WORDS,
    )
    assert cleaned == [text.clean_name(word) for word in WORDS]
