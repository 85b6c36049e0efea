"""Evaluates the DynamoDB expressions that the store uses, over plain items.

    condition_holds("attribute_not_exists(#a) OR #a <= :now", item, terms)
    updated("SET #a = #a + :n, #b = if_not_exists(#b, :b) ADD #c :set REMOVE #d", item, terms)
    key_range("#room = :room AND #item BETWEEN :first AND :last", terms)
    projected("#a, #b", item, terms)

`Terms` holds the placeholders of a request. Unsupported syntax raises ValidationError, and so does what DynamoDB
rejects: undefined or unused placeholders, attributes named without a placeholder, two clauses that change one
attribute, BETWEEN bounds in the wrong order.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Item = dict[str, Any]

_TOKEN = re.compile(r"\s*(?:([#:][A-Za-z0-9_]+)|([A-Za-z_]+)|(<=|>=|<>|[=<>(),+-]))")
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda left, right: left == right,
    "<>": lambda left, right: left != right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}
_CLAUSES = ("SET", "REMOVE", "ADD", "DELETE")


class ValidationError(Exception):
    """An expression that DynamoDB would reject or that is not supported here."""


@dataclass
class Terms:
    """The placeholders of a request's expressions."""

    names: dict[str, str]
    values: Item
    used: set[str] = field(default_factory=set)

    def name(self, placeholder: str) -> str:
        """Return the attribute that a placeholder stands for."""
        return self._term(placeholder, self.names)

    def value(self, placeholder: str) -> Any:
        """Return the value that a placeholder stands for."""
        return self._term(placeholder, self.values)

    def _term(self, placeholder: str, known: dict[str, Any]) -> Any:
        if placeholder not in known:
            raise ValidationError(f"undefined placeholder {placeholder}")
        self.used.add(placeholder)
        return known[placeholder]

    def check_used(self) -> None:
        """Raise ValidationError if a placeholder is unused."""
        unused = (self.names.keys() | self.values.keys()) - self.used
        if unused:
            raise ValidationError(f"unused placeholders {sorted(unused)}")


class _Reader:
    """Reads the tokens of an expression from left to right."""

    def __init__(self, text: str) -> None:
        self._tokens: list[str] = []
        at = 0
        while at < len(text.rstrip()):
            match = _TOKEN.match(text, at)
            if match is None:
                raise ValidationError(f"unknown expression {text[at:]!r}")
            self._tokens.append(match[1] or match[2] or match[3])
            at = match.end()
        self._at = 0
        self._text = text

    def peek(self) -> str:
        """Return the next token; empty at the end."""
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def take(self, *expected: str) -> str:
        """Consume and return the next token. Raises ValidationError if it is not one of those expected."""
        token = self.peek()
        if not token or (expected and token not in expected):
            raise ValidationError(f"{token!r} in {self._text!r} where {expected or 'more'} is expected")
        self._at += 1
        return token

    def takes(self, token: str) -> bool:
        """Consume the next token if it is `token`; return whether it was."""
        if self.peek() != token:
            return False
        self._at += 1
        return True

    def end(self) -> None:
        """Raise ValidationError if tokens are left."""
        if self.peek():
            raise ValidationError(f"{self.peek()!r} in {self._text!r} was not expected")


def condition_holds(expression: str, item: Item, terms: Terms) -> bool:
    """Evaluate a condition: OR, AND, NOT, parentheses, comparisons, size, attribute_exists and attribute_not_exists.

    An attribute that is missing, or of another type, makes a comparison false.
    """
    reader = _Reader(expression)
    holds = _either(reader, item, terms)
    reader.end()
    return holds


def _either(reader: _Reader, item: Item, terms: Terms) -> bool:
    holds = _both(reader, item, terms)
    while reader.takes("OR"):
        holds = _both(reader, item, terms) or holds
    return holds


def _both(reader: _Reader, item: Item, terms: Terms) -> bool:
    holds = _term(reader, item, terms)
    while reader.takes("AND"):
        holds = _term(reader, item, terms) and holds
    return holds


def _term(reader: _Reader, item: Item, terms: Terms) -> bool:
    if reader.takes("NOT"):
        return not _term(reader, item, terms)
    if reader.takes("("):
        holds = _either(reader, item, terms)
        reader.take(")")
        return holds
    if reader.peek() in ("attribute_exists", "attribute_not_exists"):
        function = reader.take()
        reader.take("(")
        exists = terms.name(reader.take()) in item
        reader.take(")")
        return exists is (function == "attribute_exists")
    left = _operand(reader, item, terms)
    compare = _COMPARISONS[reader.take(*_COMPARISONS)]
    right = _operand(reader, item, terms)
    return type(left) is type(right) and compare(left, right)


def _operand(reader: _Reader, item: Item, terms: Terms) -> Any:
    """Return the value of a placeholder or a size; None for an attribute that the item lacks."""
    token = reader.take()
    if token == "size":
        reader.take("(")
        measured = _operand(reader, item, terms)
        reader.take(")")
        return len(measured) if isinstance(measured, str | frozenset) else None
    if token.startswith(":"):
        return terms.value(token)
    if token.startswith("#"):
        return item.get(terms.name(token))
    raise ValidationError(f"{token!r}: attributes need a placeholder, because many words are reserved")


def updated(expression: str, item: Item, terms: Terms) -> Item:
    """Return an item after an update: SET with + and if_not_exists, REMOVE, ADD and DELETE on sets."""
    reader = _Reader(expression)
    new, changed, clauses = dict(item), set[str](), set[str]()

    def changes(placeholder: str) -> str:
        name = terms.name(placeholder)
        if name in changed:
            raise ValidationError(f"two document paths overlap: {name}")
        changed.add(name)
        return name

    while reader.peek():
        clause = reader.take(*_CLAUSES)
        if clause in clauses:
            raise ValidationError(f"{clause} may appear only once")
        clauses.add(clause)
        while True:
            name = changes(reader.take())
            if clause == "SET":
                reader.take("=")
                new[name] = _assigned(reader, item, terms)
            elif clause == "REMOVE":
                new.pop(name, None)
            else:
                _change_set(clause, new, name, terms.value(reader.take()))
            if not reader.takes(","):
                break
    return new


def _assigned(reader: _Reader, item: Item, terms: Terms) -> Any:
    left = _source(reader, item, terms)
    if reader.takes("+"):
        right = _source(reader, item, terms)
        if not (type(left) is type(right) is int):
            raise ValidationError("an operand of + is not a number or is missing")
        return left + right
    return left


def _source(reader: _Reader, item: Item, terms: Terms) -> Any:
    if reader.takes("if_not_exists"):
        reader.take("(")
        name = terms.name(reader.take())
        reader.take(",")
        otherwise = _operand(reader, item, terms)
        reader.take(")")
        return item.get(name, otherwise)
    value = _operand(reader, item, terms)
    if value is None:
        raise ValidationError("an assigned attribute does not exist")
    return value


def _change_set(clause: str, item: Item, name: str, given: Any) -> None:
    """ADD or DELETE elements of a set. A set that becomes empty is removed."""
    old = item.get(name, frozenset())
    if not isinstance(given, frozenset) or not isinstance(old, frozenset):
        raise ValidationError(f"{clause} is only supported for sets of strings")
    left = old | given if clause == "ADD" else old - given
    if left:
        item[name] = left
    else:
        item.pop(name, None)


def key_range(expression: str, keys: tuple[str, ...], terms: Terms) -> tuple[str, tuple[str, str] | None]:
    """Return a query's partition, and its first and last sort key, or None for all."""
    reader = _Reader(expression)
    _key(reader, terms, keys[0])
    reader.take("=")
    partition = terms.value(reader.take())
    bounds = None
    if reader.takes("AND"):
        _key(reader, terms, keys[1])
        reader.take("BETWEEN")
        first = terms.value(reader.take())
        reader.take("AND")
        bounds = first, terms.value(reader.take())
        if bounds[0] > bounds[1]:
            raise ValidationError("the upper bound of BETWEEN must be greater than or equal to the lower bound")
    reader.end()
    return partition, bounds


def _key(reader: _Reader, terms: Terms, expected: str) -> None:
    name = terms.name(reader.take())
    if name != expected:
        raise ValidationError(f"{name} is not the key {expected}")


def projected(expression: str, terms: Terms) -> list[str]:
    """Return the attributes in a projection."""
    reader = _Reader(expression)
    names = [terms.name(reader.take())]
    while reader.takes(","):
        names.append(terms.name(reader.take()))
    reader.end()
    return names
