"""The rules for names and messages, by fixed ranges of code points; frontend/model/text.js has the same.

Nothing here asks for a character's category: the answer would change with the Unicode version of the interpreter, and
a client and a server of different versions would disagree.
"""

import re
import unicodedata

MAX_MESSAGE_CHARACTERS = 4000
MAX_NAME_CHARACTERS = 40

# Unicode's White_Space, and the byte-order mark that pasted text begins with.
_SPACE = "\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"

# Unicode's Default_Ignorable_Code_Point, control characters, and letters and symbols that are drawn as nothing.
_INVISIBLE = (
    "\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u2800\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)

# Blocks of combining marks, which by themselves are drawn onto whatever stands before them.
_COMBINING = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"

_EDGES = re.compile(f"^[{_SPACE}]+|[{_SPACE}]+$")
_SPACES = re.compile(f"[{_SPACE}]+")
_VISIBLE = re.compile(f"[^{_SPACE}{_INVISIBLE}{_COMBINING}]")
_SURROGATE = re.compile("[\ud800-\udfff]")

# What word processors and web pages leave in copied text; it has no meaning in a name.
_PASTED = re.compile("[\xad\u200b\u2060\ufeff]")

# The flags of England, Scotland and Wales: a black flag, letters as tags, and the tag that ends them.
_FLAG = re.compile("\U0001f3f4[\U000e0061-\U000e007a\U000e0030-\U000e0039]{2,6}\U000e007f")

# Joiners and variation selectors belong to emoji and to some scripts; everything else invisible hides who writes, and
# a control character or a line break has no place in a name.
_BELONGS = "\u180b-\u180d\u180f\u200c\u200d\ufe00-\ufe0f\U000e0100-\U000e01ef"
_UNFIT = re.compile(f"(?![{_BELONGS}])[{_INVISIBLE}\u2028\u2029]")


def is_encodable(text: str) -> bool:
    """Tell whether UTF-8 can carry a text: it has no lone surrogate."""
    return _SURROGATE.search(text) is None


def trim(text: str) -> str:
    """Return a text without white space at its ends."""
    return _EDGES.sub("", text)


def is_visible(text: str) -> bool:
    """Tell whether at least one character of a text can be seen."""
    return _VISIBLE.search(text) is not None


def clean_name(given: str) -> str | None:
    """Return a name in NFC, trimmed, with single spaces and without what pasting left; None if it is not a name."""
    name = trim(unicodedata.normalize("NFC", _PASTED.sub("", given)))
    if _UNFIT.search(_FLAG.sub("\U0001f3f4", name)) or not is_visible(name) or not is_encodable(name):
        return None
    name = _SPACES.sub(" ", name)
    return name if len(name) <= MAX_NAME_CHARACTERS else None
