"""Find the tensors that two networks of one architecture have in common.

The data and the arguments of the networks may differ, and then the numbers in the names of layers
may differ, too. A module states how its numbered parts correspond in an attribute `aligned_at`, a
dict by name of a part:

- ``start`` or ``end``: the end of an `nn.Sequential` or `nn.ModuleList` at which both networks have
  the same layers, such as the end next to the image or next to the smallest map;
- ``same``: the part corresponds only if all numbered parts of the module have equal lengths, such
  as a convolution that reads images of one size.

Without it, numbered parts of different lengths have nothing in common.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from torch import nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.utils import parametrize

_NUMBERED = (nn.Sequential, nn.ModuleList)
_WRAPPED = (
    "trunk"  # the only part of a module without tensors of its own, such as LabelledGenerator
)


def match_tensors(source: nn.Module, target: nn.Module) -> dict[str, str]:
    """Return the source's name of each tensor of a target that has a counterpart, by its name.

    Names are those of `state_dict`. Tensors are counterparts if their modules have the same place
    and type, and they have the same name; shapes may differ. A weight with spectral normalisation
    is the counterpart of one without.

    Args:
        source: a network; it may be on the meta device.
        target: a network of the same architecture, for other data or with other arguments.
    """
    before, after = source.state_dict(), target.state_dict()
    return {
        new: old for new, old in _match(source, target, "", "") if new in after and old in before
    }


def _match(
    source: nn.Module, target: nn.Module, source_path: str, target_path: str
) -> Iterator[tuple[str, str]]:
    """Yield the names of tensors with the same meaning, the target's first."""
    source, source_path = _unwrap(source, source_path)
    target, target_path = _unwrap(target, target_path)
    if _kind(source) is _kind(target):
        own = _own_tensors(source)
        for name, path in _own_tensors(target).items():
            if name in own:
                yield f"{target_path}{path}", f"{source_path}{own[name]}"
    elif _own_tensors(source) or _own_tensors(target):
        return
    aligned: Mapping[str, str] = getattr(target, "aligned_at", {})
    parts = _parts(source)
    for name, part in _parts(target).items():
        other = parts.get(name)
        if other is None or name == "parametrizations":
            continue
        how = aligned.get(name, "")
        if how == "same" and _lengths(source) != _lengths(target):
            continue
        paths = f"{source_path}{name}.", f"{target_path}{name}."
        if isinstance(part, _NUMBERED) and isinstance(other, _NUMBERED):
            yield from _match_numbered(list(other), list(part), *paths, how)
        else:
            yield from _match(other, part, *paths)


def _match_numbered(
    before: list[nn.Module], after: list[nn.Module], source_path: str, target_path: str, how: str
) -> Iterator[tuple[str, str]]:
    """Yield the names of tensors of members of two lists that correspond."""
    differ = len(before) != len(after)
    if differ and how not in ("start", "end"):
        return
    shift = len(before) - len(after) if how == "end" else 0
    is_complete = True  # the last member with weights has all its tensors
    for number, member in enumerate(after):
        other = number + shift
        pairs: list[tuple[str, str]] = []
        if 0 <= other < len(before):
            paths = f"{source_path}{other}.", f"{target_path}{number}."
            pairs = list(_match(before[other], member, *paths))
        if isinstance(member, _NormBase):
            # Statistics describe the output of the layer before, which must be the same.
            if differ and not is_complete:
                continue
        elif count := len(member.state_dict()):
            is_complete = len(pairs) == count and _fits(before[other], member)
        yield from pairs


def _fits(source: nn.Module, target: nn.Module) -> bool:
    shapes = [[t.shape for t in module.state_dict().values()] for module in (source, target)]
    return shapes[0] == shapes[1]


def _unwrap(module: nn.Module, path: str) -> tuple[nn.Module, str]:
    """Return what modules without tensors of their own wrap, and its path."""
    while _parts(module).keys() == {_WRAPPED} and not _own_tensors(module):
        module, path = _parts(module)[_WRAPPED], f"{path}{_WRAPPED}."
    return module, path


def _parts(module: nn.Module) -> dict[str, nn.Module]:
    """Return the modules inside a module by name, also those that it has under two names."""
    return {name: part for name, part in module._modules.items() if part is not None}


def _kind(module: nn.Module) -> type[nn.Module]:
    kind: type[nn.Module] = parametrize.type_before_parametrizations(module)
    return kind


def _own_tensors(module: nn.Module) -> dict[str, str]:
    """Return the names of a module's own tensors by the name without parametrization."""
    names = [
        name
        for tensors in (module.named_parameters(recurse=False), module.named_buffers(recurse=False))
        for name, _ in tensors
    ]
    own = {name: name for name in names}
    if parametrize.is_parametrized(module):
        for name in module.parametrizations.state_dict():  # type: ignore[union-attr]
            path = f"parametrizations.{name}"
            weight, _, last = name.rpartition(".")
            own[weight if last == "original" else path] = path
    return own


def _lengths(module: nn.Module) -> dict[str, int]:
    """Return the lengths of numbered parts, also of those in a dict whose keys are numbers."""
    lengths = {}
    for name, part in module.named_modules():
        if "parametrizations" in name.split("."):
            continue
        by_number = isinstance(part, nn.ModuleDict) and any(key.isdigit() for key in part)
        if isinstance(part, _NUMBERED) or by_number:
            lengths[name] = len(_parts(part))
    return lengths
