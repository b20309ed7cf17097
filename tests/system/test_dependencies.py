"""What the import of a library leaves behind."""

import random
import sys
import tempfile
import warnings

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


def test_only_an_import_takes_back_filters_and_random_numbers(tmp_path, monkeypatch):
    (tmp_path / "loud_module.py").write_text(
        "import random, warnings\nrandom.random()\nwarnings.simplefilter('ignore', SyntaxWarning)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    filters, numbers = warnings.filters[:], random.getstate()
    with dependencies.quiet_imports():
        import loud_module
    assert (warnings.filters, random.getstate()) == (filters, numbers)
    del sys.modules[loud_module.__name__]
    with dependencies.quiet_imports():
        random.random()
    assert random.getstate() != numbers, "of the user's own code"
