"""Commands on a machine where no folder for temporary files is writable."""

from helpers.processes import run_python

CODE = """
import sys, tempfile
from pathlib import Path
tempfile._candidate_tempdir_list, tempfile.tempdir = list, None
from ganzoo.cli import main
bundle, out = sys.argv[1:]
for runtime in ("onnx", "torch"):
    assert main(["sample", bundle, "--runtime", runtime, "-n", "2", "-o", f"{out}/x.png"]) == 0
assert main(["export", bundle, "--for", "triton", "-o", f"{out}/models"]) == 0
assert main(["export", bundle, "-o", f"{out}/bundle"]) == 1
assert not Path(out, "bundle").exists()

from ganzoo import cli
def import_library():
    tempfile.gettempdir()
cli.COMMANDS["info"] = import_library
assert main(["info"]) == 1

from ganzoo.system.dependencies import quiet_imports
from ganzoo.errors import OutputError
for message in ("No usable temporary directory found", "no such file"):
    try:
        with quiet_imports():
            raise FileNotFoundError(message)
    except OutputError as error:
        print(error)
    except FileNotFoundError as error:
        print(error)
"""


def test_what_needs_none_works_and_the_rest_says_what_to_set(tiny_bundle, tmp_path):
    result = run_python(CODE, tiny_bundle, tmp_path)
    assert result.returncode == 0, result.stderr
    message = (
        "this needs a folder for temporary files, and none is writable. Set the environment "
        "variable TMPDIR to one that is."
    )
    assert result.stderr.splitlines() == 2 * [f"error: {message}"]
    assert result.stdout.splitlines()[-2:] == [message, "no such file"]
