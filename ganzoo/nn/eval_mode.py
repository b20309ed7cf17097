"""Run a module in eval mode without changing it."""

from __future__ import annotations

import contextlib
import copy
import functools
from types import CellType, FunctionType, MethodType
from typing import Any, TypeVar

from torch import nn

M = TypeVar("M", bound=nn.Module)


def in_eval_mode(module: M) -> M:
    """Return the module if all its parts are in eval mode, else `copy_in_eval_mode` of it."""
    if not any(part.training for part in module.modules()):
        return module
    return copy_in_eval_mode(module)


def copy_in_eval_mode(module: M) -> M:
    """Return a copy of a module in eval mode.

    The copy shares the module's weights and buffers. `module.eval()` would change the mode for
    every thread that uses the module, such as one that trains it. The copy does not run code that
    `torch.compile` compiled, which belongs to the module. It has its own functions, with copies of
    the variables that they enclose; objects of other classes are shared.
    """
    duplicate: M = _copy(module, {})
    return duplicate


def _copy(module: nn.Module, copies: dict[int, Any]) -> Any:
    if "_orig_mod" in module._modules:  # `torch.compile(module)`
        module = module.get_submodule("_orig_mod")
    if id(module) in copies:
        return copies[id(module)]
    duplicate = copies[id(module)] = module.__new__(type(module))
    for name, value in vars(module).items():
        duplicate.__dict__[name] = _replace_modules(value, copies)
    duplicate.__dict__["training"] = False
    if "_compiled_call_impl" in vars(module):  # `module.compile()`
        duplicate.__dict__["_compiled_call_impl"] = None
    return duplicate


def _replace_modules(value: Any, copies: dict[int, Any]) -> Any:
    """Return an attribute with every module in it replaced by its copy."""
    if isinstance(value, nn.Module):
        return _copy(value, copies)
    if isinstance(value, MethodType) and isinstance(value.__self__, nn.Module):
        return MethodType(value.__func__, _copy(value.__self__, copies))
    if isinstance(value, FunctionType):
        encloses = value.__closure__ or value.__defaults__ or value.__kwdefaults__
        return _copy_function(value, copies) if encloses else value
    if isinstance(value, functools.partial):
        parts = (value.func, value.args, value.keywords)
        function, arguments, keywords = (_replace_modules(part, copies) for part in parts)
        return type(value)(function, *arguments, **keywords)
    if type(value) in (list, tuple, set, frozenset):
        return type(value)(_replace_modules(item, copies) for item in value)
    if isinstance(value, tuple) and hasattr(value, "_make"):  # a named tuple
        return value._make(_replace_modules(item, copies) for item in value)
    if isinstance(value, dict):
        duplicate = copy.copy(value)
        duplicate.update({key: _replace_modules(item, copies) for key, item in value.items()})
        return duplicate
    return value


def _copy_function(function: FunctionType, copies: dict[int, Any]) -> Any:
    """Return a function that encloses copies of its variables, which other functions may share."""
    if id(function) in copies:
        return copies[id(function)]
    enclosed = function.__closure__ or ()
    cells = {id(cell): cell for cell in enclosed if id(cell) not in copies}
    copies.update((key, CellType()) for key in cells)
    duplicate = copies[id(function)] = FunctionType(
        function.__code__,
        function.__globals__,
        function.__name__,
        closure=tuple(copies[id(cell)] for cell in enclosed),
    )
    duplicate.__dict__.update(function.__dict__)
    duplicate.__defaults__ = _replace_modules(function.__defaults__, copies)
    duplicate.__kwdefaults__ = _replace_modules(function.__kwdefaults__, copies)
    for key, cell in cells.items():
        with contextlib.suppress(ValueError):  # a variable that has no value yet
            copies[key].cell_contents = _replace_modules(cell.cell_contents, copies)
    return duplicate
