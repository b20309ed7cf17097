"""tools/build_zoo.py builds missing models, resumes stopped ones and skips the others."""

import importlib
import sys

import pytest

import ganzoo
from helpers.paths import ROOT

TOOLS = ROOT / "tools"
SETTINGS = "images = 64, evaluate_every = 32, evaluate_samples = 300, checkpoint_every = 32, sample_every = 0"


@pytest.fixture
def zoo(tmp_path, monkeypatch):
    """The tool, for a zoo of one tiny model in a temporary folder."""
    monkeypatch.syspath_prepend(TOOLS)
    monkeypatch.chdir(tmp_path)
    ship, build = (importlib.import_module(name) for name in ("ship_model", "build_zoo"))
    for module in (ship, build):
        monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(build, "SAMPLES", 300)
    monkeypatch.setattr(build, "EVALUATIONS", 1)
    monkeypatch.setattr(build, "ZOO", tmp_path / "zoo.toml")
    yield build
    for name in ("ship_model", "build_zoo", "bench_training"):
        sys.modules.pop(name, None)


def write(folder, seeds, extra=""):
    (folder / "zoo.toml").write_text(
        f'[tiny]\nfolder = "shipped"\nrecipe = "dcgan-digits"\nseeds = {seeds}\n'
        f"settings = {{ {SETTINGS}{extra} }}\n"
    )


def test_missing_models_are_built(zoo, tmp_path, capsys):
    write(tmp_path, [3, 4])
    zoo.main(dry_run=True)
    assert "to train: seeds [3, 4]" in capsys.readouterr().out
    assert not (tmp_path / "shipped").exists()

    zoo.main()
    out = capsys.readouterr().out
    assert "seed 3: frechet_distance" in out
    provenance = ganzoo.info(tmp_path / "shipped" / "tiny").provenance
    assert provenance["seed"] == 3
    assert provenance["stored_as"] == "fp16"
    assert set(provenance["seeds"]["figures"]) == {"3", "4"}
    card = (tmp_path / "model_cards" / "tiny.md").read_text()
    assert "standard deviation" in card

    zoo.main()
    assert "up to date" in capsys.readouterr().out
    write(tmp_path, [3, 4], ", batch_size = 32")
    zoo.main(dry_run=True)
    assert "to train: seeds [3, 4]" in capsys.readouterr().out
    write(tmp_path, [3, 4, 5])
    zoo.main(dry_run=True)
    assert "to train: seeds [5]" in capsys.readouterr().out


def test_a_model_without_a_best_bundle_is_built(zoo, tmp_path, capsys):
    """Translators, for example, have no best bundle."""
    write(tmp_path, [0], ', keep_best = ""')
    with (tmp_path / "zoo.toml").open("a") as file:
        file.write('start = "dcgan-digits"\n')
    zoo.main()
    assert "seed 0: trained" in capsys.readouterr().out
    provenance = ganzoo.info(tmp_path / "shipped" / "tiny").provenance
    assert provenance["metrics"]
    assert "seeds" not in provenance
    assert provenance["initial_weights"]["model"] == "dcgan-digits"
    zoo.main()
    assert "up to date" in capsys.readouterr().out


@pytest.mark.slow
def test_the_evaluation_dataset_can_differ(zoo, tmp_path, monkeypatch):
    write(tmp_path, [3])
    with (tmp_path / "zoo.toml").open("a") as file:
        file.write("measured_on = { size = 16 }\n")
    datasets = []
    evaluate = ganzoo.evaluate
    monkeypatch.setattr(
        ganzoo,
        "evaluate",
        lambda path, dataset=None, **how: (datasets.append(dataset), evaluate(path, **how))[1],
    )
    zoo.main()
    assert datasets[-1].name == "digits"
    assert datasets[-1].arguments["size"] == 16
    provenance = ganzoo.info(tmp_path / "shipped" / "tiny").provenance
    assert set(provenance["seeds"]["figures"]) == {"3"}, "one seed's final and best are kept too"


def test_an_unknown_model_is_refused(zoo, tmp_path):
    write(tmp_path, [0])
    with pytest.raises(SystemExit, match="has no tinny"):
        zoo.main(("tinny",))
