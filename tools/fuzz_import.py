"""Fuzz the reading of checkpoints: python tools/fuzz_import.py [--cases N] [--seed S]

A case changes a small checkpoint by bytes or by opcodes of its pickle, opens it and reads its
tensors. It passes if this works or raises an `ImportFileError` of one line. Anything else is a
finding: another exception, a crash, an executed call, a file that was opened, more than 64 MiB of
memory for a file of some kilobytes, or more than ten seconds of processor time. A finding is stored
in a folder. A case depends only on the seed and its number: repeat one with --first K --cases 1.
"""

import argparse
import codecs
import io
import pickle
import pickletools
import random
import resource
import signal
import struct
import sys
import tempfile
import time
import traceback
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import tyro

from ganzoo.errors import ImportFileError
from ganzoo.importers import open_checkpoint

TIMEOUT = 10  # seconds of processor time per case
MEMORY = 2**26  # bytes of a case
EVENTS = ("import", "open", "os.system", "subprocess.Popen", "exec", "compile")
LONGEST = 1_000  # characters of a message
CODES = [opcode.code.encode("latin-1") for opcode in pickletools.opcodes]
CALLS = [
    b"cos\nsystem\n",
    b"cbuiltins\neval\n",
    b"cbuiltins\nbytearray\n",
    b"ccollections\nOrderedDict\n",
    b"ctorch._utils\n_rebuild_tensor_v2\n",
    b"ctorch.storage\n_load_from_bytes\n",
    b"cnumpy.core.multiarray\n_reconstruct\n",
    b"cnumpy.core.multiarray\nscalar\n",
    b"cnumpy\ndtype\n",
    b"c_codecs\nencode\n",
    b"ctorch_utils.persistence\n_reconstruct_persistent_obj\n",
]

Random = random.Random


def originals() -> dict[str, bytes]:
    """Return small checkpoints of every container by name."""
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    value = {
        "g": net.state_dict(),
        "args": argparse.Namespace(size=64, names=["a", "b"]),
        "array": np.arange(6.0),
        "half": torch.ones(3, dtype=torch.bfloat16),
    }
    files = {}
    for name, zipped in (("zip.pth", True), ("legacy.pth", False)):
        stream = io.BytesIO()
        torch.save(value, stream, _use_new_zipfile_serialization=zipped)
        files[name] = stream.getvalue()
    for protocol in (0, 2, 4, 5):
        files[f"protocol{protocol}.pkl"] = pickle.dumps(value | {"net": net}, protocol)
    return files


def mutate_bytes(r: Random, data: bytes) -> bytes:
    """Flip, insert, delete or copy some bytes."""
    changed = bytearray(data)
    for _ in range(r.choice([1, 1, 2, 4, 16])):
        at, size = r.randrange(len(changed) + 1), r.choice([1, 2, 4, 8, 64])
        match r.randrange(5):
            case 0 if changed:
                changed[at % len(changed)] ^= 1 << r.randrange(8)
            case 1:
                changed[at:at] = r.randbytes(size)
            case 2:
                del changed[at : at + size]
            case 3:
                other = r.randrange(len(changed) + 1)
                changed[at:at] = changed[other : other + size]
            case _:
                number = r.choice([0, 1, 255, 2**31 - 1, 2**31, 2**32 - 1, 2**62, 2**64 - 1])
                changed[at : at + 8] = struct.pack("<Q", number)
    return bytes(changed)


def mutate_opcodes(r: Random, data: bytes) -> bytes:
    """Insert, delete, repeat or swap whole opcodes of a pickle."""
    try:
        starts = [position or 0 for _, _, position in pickletools.genops(data)]
    except ValueError:
        return mutate_bytes(r, data)
    end = data.rindex(b".") + 1
    parts = [data[a:b] for a, b in zip(starts, [*starts[1:], end], strict=True)]
    for _ in range(r.choice([1, 1, 2, 4])):
        at = r.randrange(len(parts))
        match r.randrange(5):
            case 0:
                parts.insert(at, r.choice(CODES) + r.randbytes(r.choice([0, 1, 4, 8])))
            case 1:
                parts.insert(at, r.choice(CALLS) + r.choice([b")R", b"(lR", b"", b"}b"]))
            case 2:
                del parts[at]
                parts = parts or [b"."]
            case 3:
                parts.insert(at, r.choice(parts))
            case _:
                other = r.randrange(len(parts))
                parts[at], parts[other] = parts[other], parts[at]
    return b"".join(parts) + data[end:]


def mutate_zip(r: Random, data: bytes) -> bytes:
    """Change an entry of an archive of torch.save."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = {info.filename: archive.read(info) for info in archive.infolist()}
    name = r.choice(sorted(entries))
    pickled = next(name for name in entries if name.endswith("data.pkl"))
    match r.randrange(4):
        case 0:
            entries[name] = mutate_bytes(r, entries[name])
        case 1:
            del entries[name]
        case 2:
            entries[r.choice(["../x", "a/data.pkl", "/etc/passwd", name + "x"])] = b"x"
        case _:
            entries[pickled] = mutate_opcodes(r, entries[pickled])
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", r.choice([zipfile.ZIP_STORED] * 4 + [8])) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return stream.getvalue()


def case(seed: int, number: int, files: dict[str, bytes]) -> tuple[str, bytes]:
    """Return the name of the original of a case, and the changed file."""
    r = Random(f"{seed} {number}")
    name = r.choice(sorted(files))
    mutations: list[Callable[[Random, bytes], bytes]] = [mutate_bytes, mutate_opcodes]
    if name == "zip.pth":
        mutations = [mutate_bytes, mutate_zip, mutate_zip]
    return name, r.choice(mutations)(r, files[name])


class Watch:
    """Records what a case imports, opens or executes, with an audit hook.

    Attributes:
        file: the file that it may open; None between cases.
        forbidden: events of the current case.
    """

    def __init__(self) -> None:
        self.file: Path | None = None
        self.forbidden: list[str] = []
        sys.addaudithook(self._record)  # stays until the process ends

    def _record(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.file is None or event not in EVENTS:
            return
        if event != "open" or str(arguments[0]) != str(self.file):
            self.forbidden.append(f"{event} {str(arguments)[:100]}")


def check(file: Path, watch: Watch) -> str:
    """Open a file and read its tensors; return what went wrong, or an empty text."""
    watch.file, watch.forbidden = file, []
    signal.setitimer(signal.ITIMER_PROF, TIMEOUT)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        for tensor in open_checkpoint(file).tensors.values():
            tensor.read()
    except ImportFileError as error:
        if "\n" in str(error) or len(str(error)) > LONGEST:
            return f"the message has several lines or is too long: {str(error)[:300]!r}"
    except BaseException:  # noqa: BLE001 - each is a finding
        return traceback.format_exc()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        watch.file = None
    grown = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    if grown > MEMORY:
        return f"{grown:,} bytes of memory"
    return f"executed: {watch.forbidden}" if watch.forbidden else ""


def main(cases: int = 100_000, seed: int = 0, first: int = 0, out: Path | None = None) -> None:
    """Fuzz the reading of checkpoints.

    Args:
        cases: number of cases.
        seed: seed of all cases.
        first: number of the first case.
        out: folder of the findings; by default a new folder in the system's temporary folder.
    """
    out = out or Path(tempfile.mkdtemp(prefix="fuzz-import-"))
    files, findings, start = originals(), 0, time.time()
    watch = Watch()
    with tempfile.TemporaryDirectory() as folder:
        for codec in ("cp437", "unicode_escape", "raw_unicode_escape"):
            codecs.lookup(codec)  # Python imports codecs of zip names and old pickles at first use
        for name, content in files.items():
            (Path(folder) / name).write_bytes(content)
            open_checkpoint(Path(folder) / name)
        for number in range(first, first + cases):
            name, content = case(seed, number, files)
            file = Path(folder) / name
            file.write_bytes(content)
            if problem := check(file, watch):
                findings += 1
                (out / f"{number}-{name}").write_bytes(content)
                (out / f"{number}.txt").write_text(problem)
                print(f"case {number}: {problem.strip().splitlines()[-1][:200]}")
            if (number + 1) % 10_000 == 0:
                rate = (number + 1 - first) / (time.time() - start)
                print(f"{number + 1:,} cases, {findings} findings, {rate:.0f} per second")
    print(f"{cases:,} cases, {findings} findings" + f" in {out}" * bool(findings))
    if findings:
        raise SystemExit(1)


if __name__ == "__main__":
    tyro.cli(main)
