"""Objects as plain values that MessagePack takes, and back. Pure.

Objects are taken apart by their attributes, and made again without a call of anything of theirs: ``__new__``, then one
attribute after the other. Only classes of the register (:mod:`streamer.state.register`) are taken or made, so that
nothing that is read can do anything. An object that is there twice is one again afterwards.

A plain value stands for itself; anything else is a list that begins with a tag.
"""

from __future__ import annotations

from array import array
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from hashlib import blake2b
from typing import Any, Final, cast

import numpy as np

_PLAIN: Final = frozenset({type(None), bool, int, float, str, bytes})

_LIST, _TUPLE, _SET, _DICT, _DEQUE, _ORDERED, _COUNTER, _ARRAY, _NUMBERS, _ENUM, _NAMED, _OBJECT, _AGAIN = range(13)

_DTYPES: Final = frozenset({"<f8", "<f4", "<i8", "<i4", "|i1", "|u1", "|b1"})
"""Of arrays: numbers alone, whose bytes are any value's."""


class NotKeptError(TypeError):
    """An object of a class that is not in the register."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A class in the register.

    ``fresh`` are attributes that are left out, and made anew by a call of these. ``arrivals`` are those on the clock
    that arrivals are told by [s], ``offsets`` those that make Unix time of it.
    """

    made: type
    fresh: Mapping[str, Callable[[], Any]]
    arrivals: tuple[str, ...] = ()
    offsets: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Of the class."""
        return f"{self.made.__module__}.{self.made.__qualname__}"

    def attributes(self, value: object) -> tuple[str, ...]:
        """Those of an object that are kept."""
        names = vars(value) if hasattr(value, "__dict__") else cast(Any, self.made).__slots__
        return tuple([name for name in names if name not in self.fresh]) if self.fresh else tuple(names)

    def outline(self) -> str:
        """Changes when what the class's objects hold does."""
        if issubclass(self.made, Enum):
            parts: Any = sorted(self.made.__members__)
        elif is_dataclass(self.made):
            parts = [field.name for field in fields(self.made)]
        elif hasattr(self.made, "_fields"):
            parts = self.made._fields
        else:
            parts = sorted(self.made.__init__.__code__.co_names)
        return f"{self.name} {' '.join(parts)}"


Register = Mapping[type, Kind]


def register_of(*kinds: Kind | type) -> Register:
    """A register of these; a class by itself has nothing special about it."""
    entries = [each if isinstance(each, Kind) else Kind(each, {}) for each in kinds]
    return {each.made: each for each in entries}


def outline(register: Register) -> str:
    """Of all classes together: what was taken apart with another outline cannot be made again."""
    return blake2b("\n".join(kind.outline() for kind in register.values()).encode(), digest_size=16).hexdigest()


class Taker:
    """Takes objects apart; each one once, however often it comes. The objects must live until it is done."""

    def __init__(self, register: Register) -> None:
        self.shapes: list[list[Any]] = []
        """The classes' names and attributes; objects say which of them is theirs."""
        self._register = register
        self._shapes: dict[tuple[type, tuple[str, ...]], int] = {}
        self._seen: dict[int, int] = {}

    def take(self, value: object) -> Any:
        """A value, taken apart; what can change is copied.

        Raises
        ------
        NotKeptError : there is an object of another class in it.
        """
        kind = type(value)
        if kind in _PLAIN:
            return value
        by_type = _TAKERS.get(kind)
        return by_type(self, value) if by_type else self._other(value)

    def each(self, values: Any) -> list[Any]:
        """Several."""
        return [value if type(value) in _PLAIN else self.take(value) for value in values]

    def pairs(self, values: Mapping[Any, Any]) -> list[Any]:
        """Keys and values, in turn."""
        return self.each([part for pair in values.items() for part in pair])

    def numbers(self, value: Any, shape: list[int] | None) -> list[Any]:
        """An array, or a number by itself."""
        dtype = value.dtype.str
        if dtype not in _DTYPES:
            raise NotKeptError(f"arrays of {dtype} are not kept")
        return [_NUMBERS, dtype, shape, value.tobytes()]

    def _other(self, value: Any) -> list[Any]:
        kind = self._register.get(type(value))
        if isinstance(value, np.generic):
            return self.numbers(value, None)
        if kind is None:
            raise NotKeptError(f"objects of {type(value).__qualname__} are not kept")
        if isinstance(value, Enum):
            return [_ENUM, kind.name, value.name]
        if isinstance(value, tuple):
            return [_NAMED, kind.name, *self.each(value)]
        return self._object(kind, value)

    def _object(self, kind: Kind, value: Any) -> list[Any]:
        again = self._seen.get(id(value))
        if again is not None:
            return [_AGAIN, again]
        self._seen[id(value)] = len(self._seen)
        shape, names = self._shape(kind, value)
        return [_OBJECT, shape, *self.each([getattr(value, name) for name in names])]

    def _shape(self, kind: Kind, value: object) -> tuple[int, tuple[str, ...]]:
        names = kind.attributes(value)
        shape = self._shapes.get((kind.made, names))
        if shape is None:
            shape = self._shapes[kind.made, names] = len(self.shapes)
            self.shapes.append([kind.name, list(names)])
        return shape, names


_TAKERS: dict[type, Callable[[Taker, Any], list[Any]]] = {
    list: lambda taker, value: [_LIST, *taker.each(value)],
    tuple: lambda taker, value: [_TUPLE, *taker.each(value)],
    set: lambda taker, value: [_SET, *taker.each(value)],
    dict: lambda taker, value: [_DICT, *taker.pairs(value)],
    deque: lambda taker, value: [_DEQUE, value.maxlen, *taker.each(value)],
    OrderedDict: lambda taker, value: [_ORDERED, *taker.pairs(value)],
    Counter: lambda taker, value: [_COUNTER, *taker.pairs(value)],
    array: lambda _taker, value: [_ARRAY, value.typecode, value.tobytes()],
    np.ndarray: lambda taker, value: taker.numbers(value, list(value.shape)),
}


class Maker:
    """Makes objects again of what a :class:`Taker` gave.

    Parameters
    ----------
    shapes : the taker's.
    shift_s : what is added to arrivals, as the clock that they are told by is another one now.
    """

    def __init__(self, register: Register, shapes: list[list[Any]], shift_s: float = 0.0) -> None:
        self._kinds = {kind.name: kind for kind in register.values()}
        self._shapes = [(self._kinds[name], [_attribute(each) for each in names]) for name, names in shapes]
        self._shift_s = shift_s
        self._made: list[Any] = []

    def make(self, value: Any) -> Any:
        """The inverse of :meth:`Taker.take`.

        Raises
        ------
        ValueError, TypeError, KeyError, IndexError, AttributeError : no taker gave this.
        """
        if type(value) is not list:
            return value
        return _MAKERS[value[0]](self, value)

    def each(self, values: list[Any]) -> list[Any]:
        """Several."""
        return [self.make(value) if type(value) is list else value for value in values]

    def pairs(self, values: list[Any]) -> list[tuple[Any, Any]]:
        """Keys and values."""
        parts = iter(self.each(values))
        return list(zip(parts, parts, strict=True))

    def numbers(self, dtype: str, shape: list[int] | None, content: bytes) -> Any:
        """An array, or a number by itself."""
        if dtype not in _DTYPES:
            raise ValueError(f"arrays of {dtype} are not kept")
        values = np.frombuffer(content, dtype).copy()
        return values[0] if shape is None else values.reshape(shape)

    def enum(self, name: str, member: str) -> Any:
        """A member."""
        kind = self._kinds[name]
        if not issubclass(kind.made, Enum):
            raise TypeError(f"{name} has no members")
        return kind.made[member]

    def named(self, name: str, values: list[Any]) -> Any:
        """A named tuple."""
        return tuple.__new__(self._kinds[name].made, self.each(values))

    def object(self, shape: int, values: list[Any]) -> Any:
        """An object, made before its attributes are, as they may refer to it."""
        kind, names = self._shapes[shape]
        made: Any = object.__new__(kind.made)
        self._made.append(made)
        for name, value in zip(names, self.each(values), strict=True):
            object.__setattr__(made, name, value)
        for name, fresh in kind.fresh.items():
            object.__setattr__(made, name, fresh())
        for names_of, shift_s in ((kind.arrivals, self._shift_s), (kind.offsets, -self._shift_s)):
            for name in names_of:
                if (at_s := getattr(made, name)) is not None:
                    object.__setattr__(made, name, at_s + shift_s)
        return made

    def again(self, number: int) -> Any:
        """One that has been made."""
        return self._made[number]


_MAKERS: dict[int, Callable[[Maker, list[Any]], Any]] = {
    _LIST: lambda maker, value: maker.each(value[1:]),
    _TUPLE: lambda maker, value: tuple(maker.each(value[1:])),
    _SET: lambda maker, value: set(maker.each(value[1:])),
    _DICT: lambda maker, value: dict(maker.pairs(value[1:])),
    _DEQUE: lambda maker, value: deque(maker.each(value[2:]), value[1]),
    _ORDERED: lambda maker, value: OrderedDict(maker.pairs(value[1:])),
    _COUNTER: lambda maker, value: Counter(dict(maker.pairs(value[1:]))),
    _ARRAY: lambda _maker, value: array(value[1], value[2]),
    _NUMBERS: lambda maker, value: maker.numbers(*value[1:]),
    _ENUM: lambda maker, value: maker.enum(*value[1:]),
    _NAMED: lambda maker, value: maker.named(value[1], value[2:]),
    _OBJECT: lambda maker, value: maker.object(value[1], value[2:]),
    _AGAIN: lambda maker, value: maker.again(value[1]),
}


def _attribute(name: Any) -> str:
    if not isinstance(name, str) or not name.isidentifier() or name.startswith("__"):
        raise ValueError("an attribute without a name")
    return name
