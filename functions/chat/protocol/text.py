"""Rules for names and messages, as fixed ranges of code points that frontend/model/text.js repeats.

Unicode categories are not used: they vary with the interpreter's Unicode version, so client and server could
disagree.
"""

import re
import unicodedata

MAX_MESSAGE_CHARACTERS = 4000
MAX_NAME_CHARACTERS = 40

# Unicode's White_Space, and the byte-order mark, which pasted text can begin with.
_SPACE = "\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"

# Unicode's Default_Ignorable_Code_Point, control characters, and letters and symbols that render blank.
_INVISIBLE = (
    "\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u2800\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)

# Blocks of combining marks, which render on the preceding character.
_COMBINING = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"

_EDGES = re.compile(f"^[{_SPACE}]+|[{_SPACE}]+$")
_SPACES = re.compile(f"[{_SPACE}]+")
_VISIBLE = re.compile(f"[^{_SPACE}{_INVISIBLE}{_COMBINING}]")
_SURROGATE = re.compile("[\ud800-\udfff]")

# Leftovers of word processors and web pages in pasted text; meaningless in a name.
_PASTED = re.compile("[\xad\u200b\u2060\ufeff]")

# The flags of England, Scotland and Wales: a black flag, tag letters and a terminating tag.
_FLAG = re.compile("\U0001f3f4[\U000e0061-\U000e007a\U000e0030-\U000e0039]{2,6}\U000e007f")

# Emoji and some scripts need joiners and variation selectors. Other invisible characters allow impersonation, and
# control characters and line breaks do not belong in a name.
_NEEDED = "\u180b-\u180d\u180f\u200c\u200d\ufe00-\ufe0f\U000e0100-\U000e01ef"
_FORBIDDEN = re.compile(f"(?![{_NEEDED}])[{_INVISIBLE}\u2028\u2029]")

_JOINERS = re.compile(f"[{_INVISIBLE}]")

# Letters and digits that look like a Latin letter in at least one case, after case folding. The Unicode consortium's
# table (UTS #39) has 6,000 pairs; these are the ones that people have on their keyboards.
_LOOKALIKES = str.maketrans(
    "\u0430\u0432\u0435\u043a\u043c\u043d\u043e\u0440\u0441\u0442\u0443\u0445\u0455\u0456\u0458\u04bb\u04cf\u0501\u051b"
    "\u051d\u03b1\u03b2\u03b5\u03b6\u03b7\u03b9\u03ba\u03bc\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7\u0131"
    "01i|\u2010\u2011\u2012\u2013\u2014\u2212\u2018\u2019\u02bc`",
    "abekmhopctyxsljhldqwabezhlkmvoptyxlolll------''''",
)


def is_encodable(text: str) -> bool:
    """Return whether a text can be encoded as UTF-8, that is, has no lone surrogate."""
    return _SURROGATE.search(text) is None


def trim(text: str) -> str:
    """Return a text without leading and trailing white space."""
    return _EDGES.sub("", text)


def is_visible(text: str) -> bool:
    """Return whether a text has at least one visible character."""
    return _VISIBLE.search(text) is not None


def clean_name(given: str, max_characters: int = MAX_NAME_CHARACTERS) -> str | None:
    """Return a name in NFC, trimmed, with single spaces and without paste leftovers; None if it is not valid."""
    name = trim(unicodedata.normalize("NFC", _PASTED.sub("", given)))
    if _FORBIDDEN.search(_FLAG.sub("\U0001f3f4", name)) or not is_visible(name) or not is_encodable(name):
        return None
    name = _SPACES.sub(" ", name)
    return name if len(name) <= max_characters else None


def fold_name(name: str) -> str:
    """Return what names that look the same have in common: an account's name is unique by it.

    Case, width, invisible characters and common look-alikes (Cyrillic and Greek letters, 0 and o, 1, I and l) make no
    difference. Of a name as `clean_name` returns it, at most 1,400 bytes; never empty.
    """
    folded = unicodedata.normalize("NFKC", _JOINERS.sub("", name)).casefold()
    folded = unicodedata.normalize("NFKC", folded).translate(_LOOKALIKES)
    return _SPACES.sub(" ", trim(unicodedata.normalize("NFKC", folded))) or name
