"""Fuzz the readers of bundle files, guided by coverage: python tools/fuzz_readers.py CORPUS

Install it first: pip install atheris. The options are libFuzzer's, such as -runs=100000 or
-max_total_time=600. The folder CORPUS stores inputs that reach new code. tools/fuzz_bundle.py loads
whole bundles.
"""

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["ganzoo"]):
    from ganzoo.bundle import read_checksums
    from ganzoo.errors import GanzooError
    from ganzoo.registry.names import parse_model_name
    from ganzoo.runtimes.onnx_file import read_onnx
    from ganzoo.spec import ModelSpec

FOLDER = Path(tempfile.mkdtemp(prefix="fuzz-readers-"))


def read(data: bytes) -> None:
    """Read data with the reader that its first byte selects."""
    reader, content = data[:1], data[1:]
    try:
        match reader:
            case b"s":
                (FOLDER / "SHA256SUMS").write_bytes(content)
                read_checksums(FOLDER)
            case b"c":
                ModelSpec.from_json(content)
            case b"n":
                parse_model_name(content.decode(errors="replace"))
            case _:
                (FOLDER / "model.onnx").write_bytes(content)
                read_onnx(FOLDER / "model.onnx")
    except GanzooError as error:
        if "\n" in str(error):
            raise AssertionError("the error message is not one line") from error


if __name__ == "__main__":
    atheris.Setup(sys.argv, read)
    atheris.Fuzz()
