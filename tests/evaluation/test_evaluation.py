"""Evaluate models by name; bundle and card store values and protocol."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import ganzoo
from ganzoo import exporters
from ganzoo.bundle import open_bundle
from ganzoo.cli import main
from ganzoo.comparison import models
from ganzoo.errors import (
    BrokenPluginError,
    BundleError,
    MetricError,
    OutputError,
    RunNotFoundError,
    UnknownNameError,
)
from ganzoo.evaluation.cache import cached_features
from ganzoo.evaluation.evaluator import Evaluator
from ganzoo.evaluation.extraction import Features, name_extractor
from ganzoo.evaluation.plan import plan_evaluation
from ganzoo.spec import Component, DataSpec, ImageSpec
from helpers.playback import Playback
from helpers.processes import run_cli
from helpers.recipes import tiny

QUICK = {"samples": 300, "extractor": "pixels", "progress": False}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GANZOO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "features"


def test_an_evaluation_records_its_protocol(bundle):
    evaluation = ganzoo.evaluate(bundle, **QUICK)
    assert {"frechet_distance", "kernel_distance", "precision", "recall"} <= set(evaluation.metrics)
    assert {"density", "coverage", "authenticity_by_pixels"} <= set(evaluation.metrics)
    assert "inception_score" not in evaluation.metrics  # pixels have no classes
    protocol = evaluation.protocol
    assert protocol["dataset"] == {"name": "digits", "size": 16}
    assert protocol["extractor"] == "pixels"
    assert len(protocol["extractor_sha256"]) == len(protocol["sha256"]) == 64
    assert (protocol["samples"], protocol["real_images"], protocol["seed"]) == (300, 1797, 0)
    assert protocol["resizing"] == "none"
    assert protocol["settings"]["kernel"] == "100 subsets of 150 images"
    assert protocol["settings"]["precision-recall"] == "k 3, 300 real images, drawn"
    assert protocol["runtime"] == "torch"
    assert {"torch", "torchmetrics", "torch-fidelity"} <= set(protocol["versions"])
    json.dumps(evaluation.to_dict(), allow_nan=False)


def test_evaluations_are_reproducible_bit_for_bit(bundle, cache):
    first = ganzoo.evaluate(bundle, **QUICK)
    (file,) = cache.iterdir()
    assert ganzoo.evaluate(bundle, **QUICK).metrics == first.metrics
    file.write_bytes(b"damaged")
    assert ganzoo.evaluate(bundle, **QUICK).metrics == first.metrics
    assert file.read_bytes() != b"damaged"


def test_features_of_an_extractor_whose_code_changed_are_computed_again(cache):
    def features(factor, rounding=0.0):
        rows = factor * np.arange(20, dtype=np.float32).reshape(10, 2) + rounding
        return cached_features({"data": "a"}, lambda n: Features(rows[:n], None)).features

    assert features(1).tolist() == features(1, rounding=1e-6).tolist()
    assert features(2)[9].tolist() == [36, 38]
    assert features(1)[9].tolist() == [18, 19]


def test_an_unwritable_cache_is_ignored(bundle, cache, monkeypatch):
    first = ganzoo.evaluate(bundle, **QUICK)
    monkeypatch.setenv("GANZOO_CACHE", "/dev/null")
    assert ganzoo.evaluate(bundle, **QUICK).metrics == first.metrics


def test_the_bundle_and_its_card_store_the_values(bundle):
    evaluation = ganzoo.evaluate(bundle, **QUICK)
    provenance = ganzoo.info(bundle).provenance  # every checksum still holds
    assert provenance["metrics"] == [evaluation.to_dict()]
    card = (bundle / "README.md").read_text()
    assert f"| frechet distance | {evaluation.metrics['frechet_distance']:.4g} |" in card
    assert "300 samples of seed 0 against 1,797 images of digits" in card
    assert "No quality metric" not in card
    assert ganzoo.load(bundle, runtime="onnx").sample(2).numpy().shape == (2, 16, 16, 1)


def test_another_protocol_is_added_and_an_equal_one_replaced(bundle):
    ganzoo.evaluate(bundle, **QUICK, metrics=["frechet"])
    ganzoo.evaluate(bundle, **QUICK, metrics=["precision-recall"])
    ganzoo.evaluate(bundle, **QUICK | {"samples": 280}, metrics=["frechet"])
    evaluations = ganzoo.info(bundle).provenance["metrics"]
    assert [sorted(each["metrics"]) for each in evaluations] == [
        ["frechet_distance", "precision", "recall"],
        ["frechet_distance"],
    ]
    assert [each["protocol"]["samples"] for each in evaluations] == [300, 280]


def test_values_of_other_weights_are_dropped(bundle, tmp_path):
    ganzoo.evaluate(bundle, **QUICK, metrics=["frechet"])
    rounded = ganzoo.export(bundle, tmp_path / "half", precision="fp16")
    assert "metrics" not in ganzoo.info(rounded).provenance
    whole = ganzoo.export(bundle, tmp_path / "whole")
    assert ganzoo.info(whole).provenance["metrics"]


def test_a_run_is_measured_by_its_bundle(tiny_run, tmp_path):
    run = Path(shutil.copytree(tiny_run, tmp_path / "run"))
    evaluation = ganzoo.evaluate(run, **QUICK, metrics=["frechet"])
    assert open_bundle(run / "bundle").spec.provenance["metrics"] == [evaluation.to_dict()]


def test_a_run_without_a_model_is_refused(tiny_run, tmp_path):
    run = Path(shutil.copytree(tiny_run, tmp_path / "run"))
    shutil.rmtree(run / "bundle")
    with pytest.raises(RunNotFoundError, match="has not saved a model yet.*ganzoo train --resume"):
        ganzoo.evaluate(run, **QUICK)


def test_both_runtimes_give_nearly_the_same_distance(bundle):
    by_torch = ganzoo.evaluate(bundle, **QUICK, metrics=["frechet"], runtime="torch")
    by_onnx = ganzoo.evaluate(bundle, **QUICK, metrics=["frechet"], runtime="onnx")
    assert by_onnx.protocol["runtime"] == "onnx"
    a, b = by_torch.metrics["frechet_distance"], by_onnx.metrics["frechet_distance"]
    assert a == pytest.approx(b, rel=1e-3)
    assert len(ganzoo.info(bundle).provenance["metrics"]) == 2


def test_unknown_metrics_are_refused_before_computing(bundle):
    with pytest.raises(
        UnknownNameError, match="no metric named 'fretchet'. Did you mean 'frechet'"
    ):
        ganzoo.evaluate(bundle, **QUICK, metrics=["fretchet"])
    with pytest.raises(
        MetricError, match="'modes' cannot.*the extractor's classes are not the data's"
    ):
        ganzoo.evaluate(bundle, **QUICK, metrics=["modes"])
    with pytest.raises(MetricError, match="'inception-score' cannot.*no classes"):
        ganzoo.evaluate(bundle, **QUICK, metrics=["inception-score"])
    with pytest.raises(UnknownNameError, match="no extractor named 'pixel'"):
        ganzoo.evaluate(bundle, **QUICK | {"extractor": "pixel"})


def test_too_few_samples_are_refused(bundle):
    with pytest.raises(MetricError, match="257"):  # more than the 256 pixels of an image
        ganzoo.evaluate(bundle, **QUICK | {"samples": 256}, metrics=["frechet"])


def test_another_size_needs_resize(bundle):
    points = Component("ring", {"size": 20})
    with pytest.raises(
        MetricError, match="dataset 'ring' has images of 20x20.*--resize, or choose"
    ):
        ganzoo.evaluate(bundle, dataset=points, **QUICK)
    evaluation = ganzoo.evaluate(bundle, dataset=points, **QUICK, metrics=["frechet"], resize=True)
    assert evaluation.protocol["data_resized"].startswith("from 20x20")
    card = (bundle / "README.md").read_text()
    assert "the real images were resized from 20x20" in card
    assert "resizing none" in card  # for the extractor


def test_the_data_chooses_its_extractor():
    grey, colour = DataSpec(ImageSpec(32, 32, 1)), DataSpec(ImageSpec(32, 32, 3))
    with pytest.raises(MetricError, match="Choose with --extractor: .*pixels"):
        name_extractor("", grey)
    assert name_extractor("", colour) == "colour-64@1"
    assert name_extractor("", replace(grey, extractor="pixels")) == "pixels"
    assert name_extractor("lenet-mnist@1", colour) == "lenet-mnist@1"


@pytest.mark.parametrize(
    ("provenance", "extractor"),
    [
        ({"dataset": {"name": "arrays"}, "evaluate_with": "lenet-fashion@1"}, "lenet-fashion@1"),
        ({"dataset": {"name": "arrays"}}, ""),
        ({"dataset": {"name": "digits"}, "evaluate_with": "lenet-fashion@1"}, ""),
        ({"dataset": 3, "evaluate_with": "lenet-fashion@1"}, ""),
    ],
)
def test_the_dataset_of_the_training_is_measured_with_its_extractor(bundle, provenance, extractor):
    spec = replace(ganzoo.info(bundle), provenance={"recipe": provenance})
    assert models._extractor_of(spec, "arrays") == extractor


def test_modes_of_the_ring_are_counted_on_points():
    (images, labels), spec = (lambda ring: (ring[0].tensors, ring[1]))(
        ganzoo.datasets.get("ring")(None, count=4000)
    )
    plan = plan_evaluation("pixels", spec, len(images), samples=1000, metrics=["ring-modes"])
    evaluator = Evaluator(images, labels, plan, {"sha256": "0" * 64})
    pixels = images.numpy().transpose(0, 2, 3, 1)
    everything = evaluator(Playback(pixels[:1000], spec)).metrics
    assert everything["modes_hit"] == everything["modes"] == 8
    assert everything["high_quality"] == pytest.approx(0.989, abs=0.01)
    two = pixels[np.isin(labels.numpy(), (0, 3))]
    assert evaluator(Playback(two[:1000], spec)).metrics["modes_hit"] == 2
    noise = np.random.default_rng(0).integers(0, 256, (1000, 1, 2, 1), dtype=np.uint8)
    assert evaluator(Playback(noise, spec)).metrics["high_quality"] < 0.2


def test_classes_are_counted_by_a_matching_classifier():
    rng = np.random.default_rng(0)
    images = torch.from_numpy(rng.integers(0, 256, (300, 1, 28, 28), dtype=np.uint8))
    spec = DataSpec(ImageSpec(28, 28, 1), 10, tuple("0123456789"), extractor="lenet-mnist@1")
    labels = torch.arange(300) % 10
    plan = plan_evaluation(spec.extractor, spec, len(images), samples=200, metrics=["modes"])
    evaluator = Evaluator(images, labels, plan, {"sha256": "1" * 64})
    one = np.broadcast_to(images[0].numpy().transpose(1, 2, 0), (200, 28, 28, 1)).copy()
    values = evaluator(Playback(one, spec)).metrics
    assert values["classes_missing"] == 9
    assert values["class_kl"] == pytest.approx(np.log(10))
    assert sum(v for k, v in values.items() if k.startswith("share_of_")) == pytest.approx(1)


def test_label_accuracy_is_measured_for_a_conditional_model():
    images, labels = torch.zeros(300, 1, 28, 28, dtype=torch.uint8), torch.arange(300) % 10
    images[:, :, 4:24, 12:16] = 255  # a stroke, which the classifier always reads as the same digit
    spec = DataSpec(ImageSpec(28, 28, 1), 10, tuple("0123456789"), extractor="lenet-mnist@1")
    plan = plan_evaluation(spec.extractor, spec, len(images), samples=200, metrics=["modes"])
    evaluator = Evaluator(images, labels, plan, {"sha256": "3" * 64})
    pixels = images[:200].numpy().transpose(0, 2, 3, 1)
    conditional = Playback(pixels, spec)
    conditional.spec = replace(conditional.spec, inputs=("z", "y"))
    assert evaluator(conditional).metrics["label_accuracy"] == 0.1  # the label of one digit in ten
    assert "label_accuracy" not in evaluator(Playback(pixels, spec)).metrics
    # A model of other classes numbers them in another way than the data.
    for names, accuracy in ((("1",), 1), (("2", "7", "0", "1"), 0.25), (("cat",), None)):
        data = DataSpec(spec.image, len(names), names)
        metrics = evaluator(Playback(pixels, data, ("z", "y"))).metrics
        assert metrics["share_of_1"] == 1
        assert metrics.get("label_accuracy") == accuracy


def test_copies_are_detected():
    images, labels = ganzoo.datasets.get("digits")(None)[0].tensors
    spec = ganzoo.datasets.get("digits")(None)[1]
    training, held_out = images[:1200], images[1200:]
    plan = plan_evaluation("pixels", spec, len(training), samples=500, metrics=["memorisation"])
    evaluator = Evaluator(training, labels[:1200], plan, {"sha256": "2" * 64})
    pixels = lambda tensor: Playback(tensor.numpy().transpose(0, 2, 3, 1)[:500], spec)  # noqa: E731
    copies, honest = evaluator(pixels(training)).metrics, evaluator(pixels(held_out)).metrics
    assert copies["authenticity_by_pixels"] == copies["nearest_by_pixels"] == 0
    assert honest["authenticity_by_pixels"] > 0.4
    assert honest["nearest_by_pixels"] > 0
    # A flipped copy of a nearly symmetric image is no neighbour of it.
    symmetric = torch.cat([training[:300], training[:300].flip(3)], 3)
    symmetric[:, :, 0, 0] += 1
    data = replace(spec, image=replace(spec.image, width=32))
    plan = plan_evaluation("pixels", data, 300, samples=300, metrics=["memorisation"])
    samples = torch.cat([held_out[:300], held_out[:300].flip(3)], 3)
    playback = Playback(samples.numpy().transpose(0, 2, 3, 1), data)
    values = [
        Evaluator(each, labels[: len(each)], plan, {"sha256": str(k) * 64})(playback).metrics
        for k, each in enumerate((symmetric, torch.cat([symmetric, symmetric.flip(3)])))
    ]
    assert values[0]["authenticity_by_pixels"] == pytest.approx(
        values[1]["authenticity_by_pixels"], abs=0.01
    )


def test_models_are_compared_by_one_protocol(bundle, tmp_path):
    other = tmp_path / "other"
    run = ganzoo.train(tiny(name="other", images=16), out=other, progress=False)
    rows = ganzoo.compare([bundle, run.bundle], **QUICK, metrics=["frechet"])
    first, second = rows
    assert first.evaluation.protocol == second.evaluation.protocol
    assert set(first.images_per_second) == {"torch", "onnx"}
    assert set(second.images_per_second) == {"torch"}  # not exported
    network = ganzoo.load(bundle).network
    assert first.parameters == sum(p.numel() for p in network.parameters())
    assert len(first.preview) == 10
    with pytest.raises(MetricError, match="cannot compare 1 model.*Name two"):
        ganzoo.compare([bundle])


def test_a_runtime_whose_plugin_is_broken_has_no_speed(bundle, monkeypatch):
    def load(name, runtime=None):
        if runtime == "torch":
            raise BrokenPluginError("the plugin fails")
        return original(name, runtime="onnx")

    original = models.zoo.load
    monkeypatch.setattr(models.zoo, "load", load)
    options = models.EvaluationOptions(metrics=["frechet"], **QUICK)
    row = models._row(bundle, Component("digits", {"size": 16}), options)
    assert set(row.images_per_second) == {"onnx"}


def test_a_comparison_is_a_table_and_a_figure(bundle, tmp_path, capsys):
    picture, twin = tmp_path / "both.png", shutil.copytree(bundle, tmp_path / "twin")
    options = ["--samples", "300", "--metrics", "frechet", "-o", str(picture)]
    assert main(["compare", str(bundle), str(twin), *options]) == 0
    path, heads, *rows, direction, protocol = capsys.readouterr().out.splitlines()
    assert path == str(picture)
    assert protocol.startswith("300 samples of seed 0 against ")
    assert Image.open(picture).width > 500
    assert heads.split()[:3] == ["model", "parameters", "MB"]
    assert heads.split()[-1] == "frechet_distance"
    assert direction == "lower is better: frechet_distance"
    assert len({row.split()[-1] for row in rows}) == 1  # the same weights
    assert [row.split()[0] for row in rows] == [str(bundle), str(twin)]
    assert main(["compare", str(bundle), str(twin), "-o", "both.txt"]) == 1


def test_the_commands(bundle, tmp_path):
    options = ("--samples", 300, "--extractor", "pixels", "--metrics", "frechet")
    result = run_cli("evaluate", bundle, *options, env={"GANZOO_CACHE": str(tmp_path)})
    assert result.returncode == 0, result.stderr
    assert "frechet distance" in result.stdout
    assert "extractor sha256" in result.stdout
    assert "frechet distance" in run_cli("info", bundle).stdout
    wrong = run_cli("evaluate", bundle, "--metrics", "fid")
    assert wrong.returncode == 1
    assert wrong.stderr.startswith("error: no metric named 'fid'")


def test_a_bundle_that_changed_during_evaluation_stores_no_values(bundle, tmp_path):
    before = open_bundle(bundle)
    evaluation = ganzoo.evaluate(
        bundle, **QUICK, metrics=["frechet"]
    ).to_dict()  # by another process
    with pytest.raises(BundleError, match="was replaced after it was opened"):
        exporters.record(before, evaluation | {"metrics": {"frechet_distance": 0.0}})
    assert ganzoo.info(bundle).provenance["metrics"] == [evaluation]


def test_other_files_of_the_folder_stay_unchanged(bundle):
    (bundle / "note.txt").write_text("mine")
    ganzoo.evaluate(bundle, **QUICK, metrics=["frechet"])
    assert (bundle / "note.txt").read_text() == "mine"
    assert "note.txt" not in (bundle / "SHA256SUMS").read_text()


def test_values_that_cannot_be_stored_are_returned(bundle, monkeypatch):
    def full(*args):
        raise OutputError("the disk is full")

    monkeypatch.setattr(exporters, "record", full)
    with pytest.warns(UserWarning, match="results are not saved in .*: the disk is full"):
        assert ganzoo.evaluate(bundle, **QUICK, metrics=["frechet"]).metrics


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--split", "half"], "no argument 'split'"),
        (["--samples", "0"], "cannot measure 0 samples"),
    ],
)
def test_invalid_evaluations_are_one_line(bundle, capsys, options, message):
    assert main(["evaluate", str(bundle), *options]) == 1
    assert message in capsys.readouterr().err


def test_values_of_other_arguments_are_dropped(tmp_path):
    """Like truncation, the argument changes the images of the same weights."""

    def dimmed(data, *, latent_dim: int = 4, share: float = 1.0) -> dict:
        """A generator whose brightness is an argument."""
        nets = ganzoo.architectures.get("mlp")(data, latent_dim=latent_dim, width=8)
        nets["generator"].register_forward_hook(lambda module, inputs, output: output * share)
        return nets

    ganzoo.architectures.register("dimmed")(dimmed)
    try:
        recipe = tiny(name="dim", architecture=Component("dimmed"), images=16)
        run = ganzoo.train(recipe, out=tmp_path / "run", progress=False)
        ganzoo.evaluate(run.path, **QUICK, metrics=["frechet"])
        exported = ganzoo.export(run.path, tmp_path / "half", arguments={"share": 0.5})
    finally:
        ganzoo.architectures.unregister("dimmed")
    assert "metrics" not in ganzoo.info(exported).provenance
