"""Read a pickle without executing it.

`pickle.Unpickler` imports the classes that a file names and calls what it names. This interpreter
of the same opcodes does neither: a class is a name, and a call becomes an inert record, or a value
for the few callables of `ganzoo.importers.calls`. `pickletools` of the standard library splits the
file into opcodes and checks their lengths.
"""

from __future__ import annotations

import pickletools
from typing import Any, BinaryIO

from ganzoo.errors import ImportFileError
from ganzoo.importers.calls import apply, build
from ganzoo.importers.values import Entries, Name, Persistent, Record, check_key

# Bounds on what a file of any size makes: an empty set takes 216 bytes, a small object about 60.
MAX_OPCODES = 10_000_000
MAX_CONTAINERS = 1_000_000
MAX_COPIED = 2**31  # bytes and items in the arguments of all calls
MAX_PROTOCOL = 5
MAX_DEPTH = 3  # of pickles in the bytes of pickles

_PUSHED = frozenset(
    {"INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"}
    | {"STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE"}
    | {"BINUNICODE8", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"}
)
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_MARK = object()
# What `pickletools` and this interpreter raise; a warning if warnings are errors.
_MALFORMED = (
    RecursionError,
    ValueError,
    LookupError,
    TypeError,
    ArithmeticError,
    AttributeError,
    Warning,
)


def refuse_persistent(pid: Any) -> Any:
    """Refuse a reference to an object outside of the pickle."""
    raise ImportFileError(
        "the pickle refers to an object outside of it, which only files of torch.save may do. "
        "Get the file from its publisher again."
    )


class _Budget:
    """What the pickles of a file may still use."""

    def __init__(self) -> None:
        self.opcodes, self.containers = MAX_OPCODES, MAX_CONTAINERS
        self.copied = MAX_COPIED

    def take_opcode(self) -> None:
        self.opcodes -= 1
        if self.opcodes < 0:
            raise ImportFileError(f"the file has more than {MAX_OPCODES:,} opcodes, the limit.")

    def take_copy(self, size: int) -> None:
        self.copied -= size
        if self.copied < 0:
            raise ImportFileError(
                f"the calls of the file have more than {MAX_COPIED:,} bytes or items in their "
                "arguments, the limit."
            )

    def take_container(self) -> None:
        self.containers -= 1
        if self.containers < 0:
            raise ImportFileError(
                f"the file has more than {MAX_CONTAINERS:,} containers, the limit."
            )


class Unpickler:
    """Reads pickles from a stream, one after the other, within one budget.

    Args:
        persistent: returns the value of a persistent id; by default they are refused.
        outer: the reader of the pickle that contains this one; both share one budget.

    Attributes:
        names: the classes and functions that the pickles name.
    """

    def __init__(
        self, persistent: Persistent = refuse_persistent, outer: Unpickler | None = None
    ) -> None:
        self._persistent = persistent
        self.names: set[str] = outer.names if outer else set()
        self._budget: _Budget = outer._budget if outer else _Budget()
        self._depth: int = outer._depth + 1 if outer else 0
        if self._depth > MAX_DEPTH:
            raise ImportFileError(f"the file has pickles in pickles, more than {MAX_DEPTH} deep.")

    def read(self, file: BinaryIO) -> Any:
        """Return the value of the pickle at the stream's position, which moves behind it.

        Raises:
            ImportFileError: it is damaged, exceeds a bound, or does what no data needs.
        """
        try:
            return self._read(file)
        except ImportFileError:
            raise
        except _MALFORMED as error:
            reason = " ".join(str(error).split())[:200]
            raise ImportFileError(
                f"the pickle is damaged: {type(error).__name__}: {reason}. Get the file again."
            ) from error

    def read_nested(self, file: BinaryIO, persistent: Persistent) -> Any:
        """Return the value of a pickle within this one, from the same budget."""
        return Unpickler(persistent, self).read(file)

    def _read(self, file: BinaryIO) -> Any:
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}
        start, frame_end = file.tell(), 0
        for opcode, argument, position in pickletools.genops(file):
            self._budget.take_opcode()
            position = position or 0
            if frame_end and position >= frame_end:
                if position > frame_end:
                    raise ImportFileError("a frame of the pickle has the wrong length.")
                frame_end = 0
            name = opcode.name
            if name == "FRAME":
                if frame_end:
                    raise ImportFileError("a frame of the pickle is inside another frame.")
                frame_end = file.tell() + int(argument or 0)
            elif name == "STOP":
                (value,) = self._stack
                if frame_end and file.tell() != frame_end:
                    raise ImportFileError("the last frame of the pickle has the wrong length.")
                if value is _MARK:
                    raise ImportFileError("the pickle ends with a mark.")
                return value
            elif name in _PUSHED:
                self._stack.append(argument)
            else:
                self._step(name, argument)
        raise ImportFileError(f"the pickle at byte {start:,} has no end.")

    def _step(self, name: str, argument: Any) -> None:
        stack = self._stack
        if name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
            self._memo[argument] = self._top()
        elif name == "MEMOIZE":
            self._memo[len(self._memo)] = self._top()
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            stack.append(self._memo[argument])
        elif name == "MARK":
            stack.append(_MARK)
        elif name == "EMPTY_TUPLE":
            stack.append(())
        elif name in _TUPLES:
            stack.append(tuple(self._pop_many(_TUPLES[name])))
        elif name == "TUPLE":
            stack.append(tuple(self._pop_to_mark()))
        elif name in ("EMPTY_LIST", "EMPTY_SET", "LIST", "FROZENSET"):
            self._budget.take_container()
            # A set stays a list: nothing needs its order, and its items need no hash.
            stack.append(self._pop_to_mark() if name in ("LIST", "FROZENSET") else [])
        elif name in ("EMPTY_DICT", "DICT"):
            self._budget.take_container()
            items = self._pop_to_mark() if name == "DICT" else []
            stack.append(Entries())
            self._set_items(items)
        elif name in ("APPEND", "APPENDS", "ADDITEMS"):
            self._extend([self._pop()] if name == "APPEND" else self._pop_to_mark())
        elif name in ("SETITEM", "SETITEMS"):
            self._set_items(self._pop_many(2) if name == "SETITEM" else self._pop_to_mark())
        elif name in ("GLOBAL", "STACK_GLOBAL"):
            parts = argument.split(" ", 1) if name == "GLOBAL" else self._pop_many(2)
            stack.append(self._name(*parts))
        elif name in ("REDUCE", "NEWOBJ", "NEWOBJ_EX"):
            self._call(name)
        elif name in ("INST", "OBJ"):
            items = self._pop_to_mark()
            called = self._name(*argument.split(" ", 1)) if name == "INST" else items.pop(0)
            self._push_call(called, tuple(items))
        elif name == "BUILD":
            state = self._pop()
            stack.append(build(self._pop(), state))
        elif name in ("PERSID", "BINPERSID"):
            stack.append(self._persistent(argument if name == "PERSID" else self._pop()))
        elif name == "POP":
            self._top(allow_mark=True)
            stack.pop()
        elif name == "POP_MARK":
            self._pop_to_mark()
        elif name == "DUP":
            stack.append(self._top())
        elif name == "PROTO":
            if argument > MAX_PROTOCOL:
                raise ImportFileError(f"the pickle has protocol {argument}; 5 is the newest.")
        else:  # EXT1 to EXT4, NEXT_BUFFER, READONLY_BUFFER
            raise ImportFileError(
                f"the pickle uses {name}, which refers to things outside of the file. Get the file "
                "from its publisher again."
            )

    # ---- the stack

    def _top(self, allow_mark: bool = False) -> Any:
        value = self._stack[-1]
        if value is _MARK and not allow_mark:
            raise ValueError("a mark stands where a value is needed")
        return value

    def _pop(self) -> Any:
        value = self._top()
        self._stack.pop()
        return value

    def _pop_many(self, count: int) -> list[Any]:
        values = [self._pop() for _ in range(count)]
        return values[::-1]

    def _pop_to_mark(self) -> list[Any]:
        for index in range(len(self._stack) - 1, -1, -1):
            if self._stack[index] is _MARK:
                items = self._stack[index + 1 :]
                del self._stack[index:]
                return items
        raise ValueError("a mark is missing")

    # ---- values

    def _name(self, module: Any, name: Any) -> Name:
        if not isinstance(module, str) or not isinstance(name, str):
            raise ImportFileError("the pickle names a class by something that is not text.")
        self.names.add(f"{module}.{name}"[:200])
        return Name(module[:200], name[:200])

    def _extend(self, items: list[Any]) -> None:
        target = self._top()
        if type(target) is list:
            target.extend(items)
        elif isinstance(target, Record):
            target.items.extend(items)
        else:
            raise ImportFileError(f"the pickle appends to {type(target).__name__}.")

    def _set_items(self, items: list[Any]) -> None:
        target = self._top()
        if len(items) % 2:
            raise ImportFileError("the pickle has a dictionary with an odd number of items.")
        pairs = list(zip(items[::2], items[1::2], strict=True))
        if isinstance(target, Record):
            target.entries.extend((check_key(key), value) for key, value in pairs)
        elif isinstance(target, Entries):
            for key, value in pairs:
                target[check_key(key)] = value
        else:
            raise ImportFileError(f"the pickle sets items of {type(target).__name__}.")

    def _call(self, name: str) -> None:
        count = 3 if name == "NEWOBJ_EX" else 2
        called, *arguments = self._pop_many(count)
        self._push_call(called, arguments[0], *arguments[1:])

    def _push_call(self, called: Any, arguments: Any, keywords: Any = None) -> None:
        if not isinstance(called, Name) or not isinstance(arguments, tuple):
            raise ImportFileError("the pickle calls something that is not named in it.")
        self._budget.take_container()
        for argument in arguments:  # a call may copy an argument that many calls share
            if isinstance(argument, str | bytes | bytearray | list | dict):
                self._budget.take_copy(len(argument))
        if keywords:  # no known callable has any
            self._stack.append(Record(called, (*arguments, keywords)))
        else:
            self._stack.append(apply(called, arguments, self.read_nested))
