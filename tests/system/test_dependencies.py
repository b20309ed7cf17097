"""What the import of a library leaves behind."""

import tempfile

from ganzoo.system import dependencies


def test_the_compilers_folder_is_removed_from_a_folder_of_any_name(tmp_path, monkeypatch):
    folder = tmp_path / "temporary [1]*"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    with dependencies.quiet_imports():
        new = folder / "torchinductor_user"
        new.mkdir()
        monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(new))
    assert list(folder.iterdir()) == []
