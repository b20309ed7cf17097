"""Scripts whose worker processes import them: on macOS and Windows, and elsewhere by choice."""

import multiprocessing

import pytest

from ganzoo.data.workers import check_main_guard
from ganzoo.errors import WorkerError
from helpers.processes import run_new

SCRIPT = """
import multiprocessing, os
import ganzoo
from dataclasses import replace
from ganzoo.registry import find_recipe

os.sched_getaffinity = lambda _: {0, 1}  # one worker

def main():
    multiprocessing.set_start_method("spawn", force=True)
    recipe = replace(find_recipe("dcgan-digits"), images=64, streaming="on")
    ganzoo.train(recipe, out="run", progress=False, monitors="off")

"""


@pytest.mark.slow
def test_a_script_without_a_main_guard_is_told_to_have_one(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT + "main()\n")
    result = run_new("script.py", cwd=tmp_path)
    assert result.returncode == 1
    errors = [line for line in result.stderr.splitlines() if line.startswith("ganzoo.errors.")]
    assert "runs the script again to import it" in errors[0]
    assert "ended with status 1" in errors[-1]
    for error in errors:
        assert 'Put the script\'s own commands below `if __name__ == "__main__":`.' in error


def test_only_a_worker_that_starts_is_refused(monkeypatch):
    check_main_guard()
    monkeypatch.setattr(multiprocessing.current_process(), "_inheriting", True, raising=False)
    with pytest.raises(WorkerError, match='if __name__ == "__main__":'):
        check_main_guard()
