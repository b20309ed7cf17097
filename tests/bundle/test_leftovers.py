"""What killed processes leave behind, the next command removes."""

import os
import shutil
import signal
import tempfile

import pytest

import ganzoo
from ganzoo.bundle import leftovers, open_bundle
from ganzoo.bundle.files import new_file, new_folder, temporary_folder
from ganzoo.errors import NotABundleError
from ganzoo.system.temporary import lock
from helpers.processes import run_cli, run_python

# Ends like a process that is killed: while a folder is written, or when the former one is moved.
KILL = """
import os, signal, sys
from pathlib import Path
from ganzoo.bundle import files
replaced, replace = [], os.replace
def kill_at(source, target):
    replaced.append(source)
    if len(replaced) == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
    return replace(source, target)
files.os.replace = kill_at
with files.new_folder(Path(sys.argv[1])) as folder:
    (folder / "text").write_text("new")
    if sys.argv[2] == "0":
        os.kill(os.getpid(), signal.SIGKILL)
"""
AT = {"while it is written": 0, "before it": 1, "between": 2}


def kill(path, at):
    assert run_python(KILL, path, str(AT[at])).returncode == -signal.SIGKILL
    return sorted(p.name for p in path.parent.iterdir() if p != path)


@pytest.mark.parametrize("at", AT)
def test_two_kills_leave_nothing(tmp_path, at):
    path = tmp_path / "folder"
    path.mkdir()
    (path / "text").write_text("former")
    for _ in range(2):
        assert kill(path, at), "it does leave something"
        leftovers.remove(path)
        assert (path / "text").read_text() == "former"
        assert list(tmp_path.iterdir()) == [path]
    kill(path, at)
    kill(path, at)
    with new_folder(path) as folder:
        (folder / "text").write_text("new")
    assert (path / "text").read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_pipe_among_leftovers_is_removed(tmp_path):
    os.mkfifo(tmp_path / ".folder.ganzoo-pipe")  # to open it would wait for a writer
    leftovers.remove(tmp_path / "folder")
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_still_writes_is_left_alone(tmp_path):
    path = tmp_path / "folder"
    with new_folder(path) as folder:
        (folder / "text").write_text("first")
        assert run_python(KILL, path, "9").returncode == 0
        assert (path / "text").read_text() == "new"
        assert (folder / "text").read_text() == "first"
        with new_file(tmp_path / "file") as file:
            file.write(b"content")
            leftovers.remove_all(tmp_path)
    assert (path / "text").read_text() == "first"
    assert (tmp_path / "file").read_bytes() == b"content"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder"]


def test_the_next_write_of_a_file_removes_what_a_killed_one_left(tmp_path):
    code = KILL.replace("new_folder", "new_file").replace('(folder / "text").write_text("new")', "")
    code = code.replace("with files", "files.os.fsync = lambda _: None\nwith files").replace(
        "    if sys", '    folder.write(b"half of it"); folder.flush()\n    if sys'
    )
    assert run_python(code, tmp_path / "file", "0").returncode == -signal.SIGKILL
    (started,) = tmp_path.iterdir()
    other = tmp_path / f"{leftovers.prefix(tmp_path / 'file')}other"
    other.touch()  # another process has created it, and locks it next
    with new_file(tmp_path / "file") as file:
        file.write(b"content")
    assert not started.exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == [other.name, "file"]


def test_files_of_others_stay(tmp_path):
    path = tmp_path / "bundle"
    others = [".bundle.original", ".bundle.x.old", ".bundle", "bundle.old", ".other.ganzoo-x"]
    for name in others:
        (tmp_path / name).mkdir()
    with new_folder(path):
        pass
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([*others, "bundle"])


def test_a_run_is_resumed_without_leftovers(tiny_run, tmp_path):
    run = shutil.copytree(tiny_run, tmp_path / "run")
    for at in ("while it is written", "between"):
        kill(run / "bundle", at)
    with pytest.raises(NotABundleError, match="Rename it: mv "):
        open_bundle(run / "bundle")
    for folder in (run, run / "checkpoints"):
        (folder / ".000000000064.safetensors.ganzoo-abc").write_bytes(b"half of it")
    result = run_cli("train", "--resume", run)
    assert result.returncode == 0, result.stderr
    assert {p.name for p in run.rglob(".*")} == {".lock", ".gitattributes"}
    assert ganzoo.load(run / "bundle", runtime="torch").sample(1)


def test_temporary_folders_of_killed_processes_are_removed(tmp_path, monkeypatch):
    """Such as those with uploads to the demo."""
    code = (
        "import os, signal, tempfile, sys; from ganzoo.bundle.files import temporary_folder\n"
        "tempfile.tempdir = sys.argv[1]\n"
        "with temporary_folder('ganzoo-demo-') as folder:\n"
        "    (folder / 'upload.png').touch()\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert run_python(code, tmp_path).returncode == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    (tmp_path / "ganzoo-demo-mine").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with temporary_folder() as used:
        assert left.exists(), "a new one may not be locked yet"
        for path in tmp_path.iterdir():
            os.utime(path, (0, 0))
        with temporary_folder():
            assert not left.exists()
            assert used.exists()
    assert [p.name for p in tmp_path.iterdir()] == ["ganzoo-demo-mine"]


def test_a_lock_is_released_with_its_process(tmp_path):
    handle = os.open(tmp_path, os.O_RDONLY)
    other = os.open(tmp_path, os.O_RDONLY)
    assert lock(handle)
    assert not lock(other)
    os.close(handle)
    assert lock(other)
    os.close(other)
