"""Read Protocol Buffers by a schema, in the one encoding that serializers write, and write fields.

Parsers disagree about encodings that no serializer writes: one skips a tag above 32 bits, another
drops its upper bits; of a field that appears twice, one keeps the first value, another the last.
This reader refuses all of them, so that every parser reads the same values from the bytes that it
accepts: varints have their shortest form, every field is in the schema and has its wire type, and
only repeated fields repeat. Repeated numbers may be packed or not, which every parser must accept.

Protocol Buffers, encoding: https://protobuf.dev/programming-guides/encoding/.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

_VARINT, _LENGTH, _FIXED32 = 0, 2, 5  # wire types

_INTEGERS = {"int32": 2**31, "int64": 2**63}
MAX_TEXT = 2**12  # bytes of a name


class WireError(ValueError):
    """A fault of the bytes, as a clause about the file that contains them."""


class Field(NamedTuple):
    """A field of a message.

    Args:
        name: its key in the result. Fields of one name exclude each other.
        kind: ``int32``, ``int64``, ``float``, ``text``, ``bytes``, or the schema of a message.
        repeated: whether its value is a list.
        limit: bytes of a text.
        choices: for an enumeration, the number of its values, which begin with 0. Some parsers skip
            other values.
    """

    name: str
    kind: str | Message
    repeated: bool = False
    limit: int = MAX_TEXT
    choices: int | None = None


@dataclass(frozen=True, eq=False)
class Message:
    """The schema of a message: the fields that it may have, by number.

    Args:
        name: its name in errors.
        fields: the fields, by number.
        features: names of features that are refused, by the number of their field.
    """

    name: str
    fields: Mapping[int, Field]
    features: Mapping[int, str] = field(default_factory=dict)


class Reader:
    """Reads messages from bytes.

    Args:
        data: the bytes. Fields of the kind ``bytes`` are slices of them.
        max_fields: the number of fields and of repeated numbers, of all messages together.
    """

    def __init__(self, data: memoryview, max_fields: int) -> None:
        self._data = data
        self._max_fields = max_fields
        self._fields = 0

    def read(self, message: Message) -> dict[str, Any]:
        """Return the values of all fields by name.

        Raises:
            WireError: the bytes are not an encoding of the schema that every parser reads alike.
        """
        return self._message(message, 0, len(self._data))

    def _message(self, message: Message, at: int, end: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        while at < end:
            self._count(1)
            tag, at = _varint(self._data, at, end)
            number = tag >> 3
            item = message.fields.get(number)
            if item is None:
                feature = message.features.get(number)
                raise WireError(
                    f"it has {feature}"
                    if feature
                    else f"its {message.name} has the unknown field {number}"
                )
            value, at = self._value(message, item, tag & 7, at, end)
            if item.repeated:
                values.setdefault(item.name, []).extend(value)
            elif item.name in values:
                raise WireError(f"its {message.name} has more than one {item.name}")
            else:
                (values[item.name],) = value
        return values

    def _value(
        self, message: Message, item: Field, wire: int, at: int, end: int
    ) -> tuple[list[Any], int]:
        kind = item.kind
        if wire == _VARINT and kind in _INTEGERS:
            number, at = self._integer(str(kind), at, end)
            if item.choices is not None and not 0 <= number < item.choices:
                raise WireError(f"its {message.name} has the unknown {item.name} {number}")
            return [number], at
        if wire == _FIXED32 and kind == "float":
            start, at = self._span(4, at, end)
            return list(struct.unpack("<f", self._data[start:at])), at
        if wire == _LENGTH and (item.repeated or kind not in (*_INTEGERS, "float")):
            size, at = _varint(self._data, at, end)
            start, at = self._span(size, at, end)
            return self._content(item, start, at), at
        raise WireError(f"{item.name} of its {message.name} has the wrong wire type {wire}")

    def _content(self, item: Field, start: int, end: int) -> list[Any]:
        """Return a text, bytes, a message or packed numbers."""
        if isinstance(item.kind, Message):
            return [self._message(item.kind, start, end)]
        if item.kind == "bytes":
            return [self._data[start:end]]
        if item.kind == "text":
            if end - start > item.limit:
                raise WireError(f"it has a {item.name} of {end - start:,} bytes")
            try:
                return [str(self._data[start:end], "utf-8")]
            except UnicodeDecodeError as error:
                raise WireError(f"one {item.name} is not UTF-8") from error
        if item.kind == "float":
            if (end - start) % 4:
                raise WireError(f"{item.name} has {end - start:,} bytes")
            self._count((end - start) // 4)
            return [number for (number,) in struct.iter_unpack("<f", self._data[start:end])]
        numbers = []
        while start < end:
            self._count(1)
            number, start = self._integer(item.kind, start, end)
            numbers.append(number)
        return numbers

    def _integer(self, kind: str, at: int, end: int) -> tuple[int, int]:
        number, at = _varint(self._data, at, end)
        if number >= 2**63:
            number -= 2**64
        if not -_INTEGERS[kind] <= number < _INTEGERS[kind]:
            raise WireError(f"the number {number} is too large for {kind}")
        return number, at

    def _span(self, size: int, at: int, end: int) -> tuple[int, int]:
        if at + size > end:
            raise WireError("it is truncated, or not encoded as Protocol Buffers")
        return at, at + size

    def _count(self, fields: int) -> None:
        self._fields += fields
        if self._fields > self._max_fields:
            raise WireError(f"it has more than {self._max_fields:,} parts")


def fields(data: memoryview) -> Iterator[tuple[int, int, int, int]]:
    """Yield number, start, start of the value and end of each field of a message that was checked.

    Args:
        data: a message that a `Reader` accepts, so that it has no other wire types.
    """
    at = 0
    while at < len(data):
        start = at
        tag, at = _varint(data, at, len(data))
        value = at
        if tag & 7 == _FIXED32:
            at += 4
        else:
            number, at = _varint(data, at, len(data))
            if tag & 7 == _LENGTH:
                value, at = at, at + number
        yield tag >> 3, start, value, at


def encode_field(number: int, content: bytes) -> bytes:
    """Encode a field of bytes, text or a message."""
    return encode_varint(number << 3 | _LENGTH) + encode_varint(len(content)) + content


def encode_varint(number: int) -> bytes:
    """Encode an integer of 0 to 2**64 - 1."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def _varint(data: memoryview, at: int, end: int) -> tuple[int, int]:
    """Return an integer of at most 64 bits, in its shortest form, and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= end:
            break
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if (shift and not byte) or value >= 2**64:
                break
            return value, at
    raise WireError("it is truncated, or not encoded as Protocol Buffers")
