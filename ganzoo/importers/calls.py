"""The callables of a pickle that become values: tensors, arrays and ordered dictionaries.

The list is closed. Everything else that a file calls becomes an inert `Record`.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ganzoo.errors import ImportFileError
from ganzoo.importers.torch_files import read_legacy
from ganzoo.importers.values import (
    DTYPES,
    OTHERS,
    Dtype,
    Entries,
    Name,
    ReadNested,
    Record,
    Storage,
    StoredTensor,
    brief,
    check_key,
    check_shape,
    unread,
    view_storage,
)

ARRAYS = ("numpy.core.multiarray", "numpy._core.multiarray")
BUFFERS = ("numpy.core.numeric", "numpy._core.numeric")


class _Dtype(Record):
    """A NumPy dtype that the file describes."""

    @property
    def resolved(self) -> Dtype:
        """The dtype."""
        code = self.args[0] if self.args else None
        order = self.state[1] if isinstance(self.state, tuple) and len(self.state) > 1 else "<"
        for dtype in DTYPES.values():
            if dtype.name != "bfloat16" and code in (dtype.raw[1:], dtype.raw):
                return Dtype(f">{code}", "V0") if order == ">" and dtype.size > 1 else dtype
        return Dtype(brief(code).strip("'"), "V0")


class _Array(Record):
    """A NumPy array that the file describes; `build` turns it into a tensor."""


def apply(called: Name, arguments: tuple[Any, ...], read_nested: ReadNested) -> Any:
    """Return the value of a call: a tensor, an array, a dictionary; else an inert record.

    Raises:
        ImportFileError: the arguments of a known callable are not valid.
    """
    module, name = called.module, called.name
    try:
        if module == "collections" and name == "OrderedDict":
            return _ordered_dict(*arguments)
        if module == "torch._utils" and name in _TENSORS:
            return _TENSORS[name](*arguments)
        if module == "torch._tensor" and name == "_rebuild_from_type_v2":
            function, _, inner, state = arguments
            return build(apply(function, inner, read_nested), state)
        if module == "torch.storage" and name == "_load_from_bytes":
            (content,) = arguments
            return read_legacy(io.BytesIO(content), read_nested)
        if module in ("copyreg", "copy_reg") and name == "_reconstructor":
            kind, _, content = arguments  # an object of a class, in protocols 0 and 1
            if isinstance(kind, Name):
                return _reconstructed(kind, content)
        if module == "torch" and name == "Size":
            return check_shape(*arguments)
        if module in ARRAYS and name == "_reconstruct":
            return _Array(called, arguments)
        if module in ARRAYS and name == "scalar":
            return _scalar(*arguments)
        if module in BUFFERS and name == "_frombuffer":
            return _from_buffer(*arguments)
        if module == "numpy" and name == "dtype":
            return _Dtype(called, arguments)
        if module in ("builtins", "__builtin__") and name == "bytes" and not arguments:
            return b""
        if module == "_codecs" and name == "encode":
            text, encoding = arguments
            if encoding in ("latin1", "latin-1"):
                return text.encode("latin-1")
    except TypeError as error:
        raise ImportFileError(
            f"the pickle calls {called} with the wrong arguments. Get the file again."
        ) from error
    return Record(called, arguments)


def build(target: Any, state: Any) -> Any:
    """Return an object after the file set its state.

    Raises:
        ImportFileError: the object has no state.
    """
    if isinstance(target, _Array):
        return _array(*state)
    if isinstance(target, StoredTensor):
        return target  # attributes of a tensor do not change its numbers
    if isinstance(target, Record):
        if target.state is not None:
            raise ImportFileError(f"the pickle sets the state of {target.callable} twice.")
        target.state = state
        return target
    if isinstance(target, Entries):
        if target.state is not None:
            raise ImportFileError("the pickle sets the attributes of a dictionary twice.")
        target.state = state
        return target
    raise ImportFileError(f"the pickle sets attributes of {type(target).__name__}.")


def _reconstructed(kind: Name, content: Any) -> Record:
    """Return an object with the content of the dictionary, list or value that its class extends."""
    if isinstance(content, Entries):
        return Record(kind, entries=list(content.items()))
    if isinstance(content, list):
        return Record(kind, items=content)
    return Record(kind, () if content is None else (content,))


def _ordered_dict(pairs: Any = ()) -> Entries:
    result = Entries()
    for pair in pairs:
        key, value = pair
        result[check_key(key)] = value
    return result


def _rebuild_v2(
    storage: Any,
    offset: Any,
    shape: Any,
    strides: Any,
    grad: Any = None,
    hooks: Any = None,
    metadata: Any = None,
) -> StoredTensor:
    _check_metadata(metadata)
    return view_storage(_storage(storage), offset, shape, strides)


def _rebuild_v3(
    storage: Any,
    offset: Any,
    shape: Any,
    strides: Any,
    grad: Any,
    hooks: Any,
    dtype: Any,
    metadata: Any = None,
) -> StoredTensor:
    _check_metadata(metadata)
    return view_storage(_storage(storage), offset, shape, strides, dtype_of(dtype))


def _check_metadata(metadata: Any) -> None:
    """Refuse a tensor whose numbers torch changes when it reads them, such as by their sign."""
    if metadata:
        raise ImportFileError(
            "a tensor of the file is a view that negates or conjugates its numbers. Save "
            "tensor.resolve_neg().resolve_conj() in its place."
        )


def _parameter(data: Any, *rest: Any) -> StoredTensor:
    if not isinstance(data, StoredTensor):
        raise ImportFileError("a parameter of the file is not a tensor.")
    return data


_TENSORS: dict[str, Callable[..., StoredTensor]] = {
    "_rebuild_tensor": _rebuild_v2,
    "_rebuild_tensor_v2": _rebuild_v2,
    "_rebuild_tensor_v3": _rebuild_v3,
    "_rebuild_parameter": _parameter,
    "_rebuild_parameter_with_state": _parameter,
}


def dtype_of(name: Any) -> Dtype:
    """Return the dtype that a file names, such as ``torch.float32``.

    Raises:
        ImportFileError: it is not a dtype of weights.
    """
    known = DTYPES | OTHERS
    dtype = known.get(name.name) if isinstance(name, Name) and name.module == "torch" else None
    if dtype is None:
        raise ImportFileError(f"the file holds numbers of type {brief(name)}; weights are real.")
    return dtype


def _storage(value: Any) -> Storage:
    if not isinstance(value, Storage):
        raise ImportFileError("a tensor of the file has no storage.")
    return value


def _bytes(value: Any) -> bytes:
    """Return the bytes of an array; files of Python 2 hold them as text."""
    return value.encode("latin-1") if isinstance(value, str) else bytes(memoryview(value))


def _array(version: Any, shape: Any, dtype: Any, fortran: Any, content: Any) -> StoredTensor:
    return _as_tensor(content, dtype, check_shape(shape), "F" if fortran else "C")


def _from_buffer(content: Any, dtype: Any, shape: Any, order: Any) -> StoredTensor:
    return _as_tensor(content, dtype, check_shape(shape), "F" if order == "F" else "C")


def _scalar(dtype: Any, content: Any) -> Any:
    tensor = _as_tensor(content, dtype, (), "C")
    return tensor.read().item() if tensor.dtype.is_read else Record(Name("numpy", "generic"))


def _as_tensor(content: Any, dtype: Any, shape: tuple[int, ...], order: Any) -> StoredTensor:
    if not isinstance(dtype, _Dtype):
        raise ImportFileError("a NumPy array of the file has no type. Get the file again.")
    resolved = dtype.resolved
    if not resolved.is_read:  # such as text, objects, and the state of random numbers
        return unread(resolved, shape)
    if not isinstance(content, bytes | bytearray | str):
        raise ImportFileError("a NumPy array of the file has no numbers. Get the file again.")
    raw = _bytes(content)
    if len(raw) != math.prod(shape) * resolved.size:
        raise ImportFileError(
            f"a NumPy array of shape {shape} has {len(raw):,} bytes. Get the file again."
        )
    return StoredTensor(
        resolved, shape, lambda: np.frombuffer(raw, resolved.raw).reshape(shape, order=order).copy()
    )
