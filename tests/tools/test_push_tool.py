"""tools/push.py pushes every shipped model, also if others fail."""

import runpy

import pytest

import ganzoo
from ganzoo.errors import HubError
from ganzoo.hub import Pushed
from ganzoo.registry import models
from helpers.paths import ROOT

TOOL = runpy.run_path(str(ROOT / "tools" / "push.py"))["main"]
SHIPPED = [e.name for e in models.entries() if e.distribution == "torch-ganzoo"]


def test_a_refused_model_does_not_stop_the_others(monkeypatch, capsys):
    uploads = {}

    def push(bundle, repository, **options):
        uploads[repository] = options
        if repository == f"org/{SHIPPED[0]}":
            raise HubError("the Hub has a problem of its own")
        return Pushed(None, {"model.onnx": 7}, "")

    monkeypatch.setattr(ganzoo, "push", push)
    how = {"revision": "half", "tag": "v1", "private": True, "dry_run": True, "space": True}
    with pytest.raises(SystemExit) as error:
        TOOL("org", **how)
    output = capsys.readouterr()
    assert error.value.code == 1
    assert output.err == f"{SHIPPED[0]}: the Hub has a problem of its own\n"
    assert uploads == {f"org/{name}": how for name in SHIPPED}
    assert output.out.splitlines() == [
        f"{name}: dry run: hf://org/{name}, 7 bytes" for name in SHIPPED[1:]
    ]

    monkeypatch.setattr(ganzoo, "push", lambda *a, **k: Pushed(None, {}, ""))
    with pytest.raises(SystemExit) as error:
        TOOL("org")
    assert error.value.code == 0
