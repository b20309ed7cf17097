from ganzoo import evaluation
from helpers.processes import run_new


def test_every_public_name_exists():
    for name in evaluation.__all__:
        assert getattr(evaluation, name).__name__ == name
    assert set(evaluation.__all__) == set(evaluation._HOME) <= set(dir(evaluation))
    assert not hasattr(evaluation, "frechet")


def test_the_import_is_light():
    result = run_new(
        "-c",
        "import sys, ganzoo.evaluation\n"
        "heavy = {'torch', 'scipy', 'sklearn', 'ot', 'torchmetrics'}\n"
        "assert not heavy & set(sys.modules)\n"
        "ganzoo.evaluation.ImageSets\n"
        "ganzoo.evaluation.mode_coverage([0, 1], [[1, 0]])\n"
        "assert not {'torch', 'ot'} & set(sys.modules)\n",
    )
    assert result.returncode == 0, result.stderr


def test_a_missing_library_is_named():
    result = run_new(
        "-c",
        "import sys\n"
        "sys.modules['torchmetrics'] = None\n"
        "import ganzoo.evaluation as e\n"
        "e.frechet_distance",
    )
    assert "MissingExtraError" in result.stderr
    assert "pip install '.[train]'" in result.stderr
