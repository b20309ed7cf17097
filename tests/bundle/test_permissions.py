"""Files and folders have the permissions of the user's umask, as those of `open` have."""

import os
import stat
import sys

import pytest

import ganzoo
from ganzoo import cards
from ganzoo.bundle.files import new_folder, write_file

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the system has no umask")


@pytest.fixture(params=[0o022, 0o027, 0o077, 0o002], ids=oct)
def umask(request):
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def check(folder, umask):
    for path in (folder, *folder.rglob("*")):
        assert mode(path) == (0o777 if path.is_dir() else 0o666) & ~umask, path


def test_new_files_and_folders(tmp_path, umask):
    write_file(tmp_path / "new" / "file", "a")
    with new_folder(tmp_path / "new" / "folder") as folder:
        (folder / "file").touch()
        (folder / "inner").mkdir()
    check(tmp_path / "new", umask)


@pytest.mark.parametrize("umask", [0o027], indirect=True)
def test_a_bundle(tiny_bundle, tmp_path, umask):
    check(ganzoo.export(tiny_bundle, tmp_path / "bundle", figures=False), umask)


def test_what_is_replaced_keeps_its_permissions(bundle, tmp_path):
    file = tmp_path / "file"
    file.write_text("private")
    file.chmod(0o600)
    write_file(file, "new")
    assert (mode(file), file.read_text()) == (0o600, "new")
    bundle.chmod(0o700)
    (bundle / "README.md").chmod(0o640)
    cards.write(bundle)
    assert (mode(bundle), mode(bundle / "README.md")) == (0o700, 0o640)


def test_a_link_is_replaced_by_a_new_file(tmp_path):
    (tmp_path / "private").write_text("private")
    (tmp_path / "private").chmod(0o600)
    (tmp_path / "link").symlink_to("private")
    write_file(tmp_path / "link", "new")
    assert not (tmp_path / "link").is_symlink()
    assert mode(tmp_path / "link") != 0o600
    assert (tmp_path / "private").read_text() == "private"
