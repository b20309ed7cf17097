"""What a bundle means depends on no setting of the process, and nothing changes a setting."""

import contextlib
import logging
import os
import random
import shutil
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import ganzoo
from ganzoo.exporters.onnx_graph import trace
from ganzoo.nn import torch_defaults
from ganzoo.runtimes.build import _Limited
from helpers.recipes import tiny


@contextlib.contextmanager
def default_dtype(dtype):
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
        assert torch.get_default_dtype() == dtype
    finally:
        torch.set_default_dtype(before)


@contextlib.contextmanager
def default_device(device):
    before = torch.get_default_device()
    torch.set_default_device(device)
    try:
        yield
        assert torch.get_default_device() == torch.device(device)
    finally:
        torch.set_default_device(None if before == torch.device("cpu") else before)


@contextlib.contextmanager
def low_precision():
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        yield
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision(before)


@contextlib.contextmanager
def deterministic():
    torch.use_deterministic_algorithms(True)
    try:
        yield
        assert torch.are_deterministic_algorithms_enabled()
    finally:
        torch.use_deterministic_algorithms(False)


SETTINGS = {
    "bfloat16": lambda: default_dtype(torch.bfloat16),
    "float64": lambda: default_dtype(torch.float64),
    "meta": lambda: default_device("meta"),
    "no grad": torch.no_grad,
    "inference": torch.inference_mode,
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "precision": low_precision,
    "deterministic": deterministic,
    "numpy": lambda: np.errstate(all="raise"),
}
ALL = [name for name in SETTINGS if name not in ("float64", "no grad")]


@contextlib.contextmanager
def settings(*names):
    with contextlib.ExitStack() as stack:
        for name in names:
            stack.enter_context(SETTINGS[name]())
        yield


def describe_state():
    numbers = [torch.get_rng_state().tolist(), np.random.get_state()[1].tolist(), random.getstate()]
    return numbers, torch.get_num_threads(), np.geterr()


def generate(name, runtime):
    model = ganzoo.load(name, runtime=runtime)
    latents = np.linspace(-2, 2, 3 * model.spec.latent.dim).reshape(3, -1)
    images = [model.sample(3, seed=2), model.decode(latents), model.interpolate(1, 2, 3)]
    encoder = ganzoo.load(name, role="encoder", runtime=runtime)
    return *(batch.numpy() for batch in images), encoder.encode(images[0])


@pytest.fixture(scope="module")
def expected():
    return {runtime: generate("vae2d-mnist", runtime) for runtime in ("torch", "onnx")}


@pytest.mark.parametrize("runtime", ["torch", "onnx"])
@pytest.mark.parametrize("name", SETTINGS)
def test_images_and_latents_are_the_same(expected, runtime, name):
    before = describe_state()
    with settings(name):
        state = describe_state()
        results = generate("vae2d-mnist", runtime)
        assert describe_state() == state
    assert describe_state() == before
    for a, b in zip(results, expected[runtime], strict=True):
        assert np.array_equal(a, b)
        assert a.dtype == b.dtype


def test_a_model_that_was_loaded_in_inference_mode_can_be_trained():
    with torch.inference_mode():
        model = ganzoo.load("dcgan-mnist", runtime="torch")
    model.train().requires_grad_(True)
    model(torch.zeros(2, model.spec.latent.dim)).sum().backward()
    assert all(weight.grad is not None for weight in model.parameters())


def test_training_export_and_evaluation_are_the_same(tiny_run, tiny_bundle, tmp_path):
    options = {"samples": 300, "extractor": "pixels", "seed": 1, "progress": False}
    copied = shutil.copytree(tiny_bundle, tmp_path / "copied")  # to which the metrics are written
    metrics = ganzoo.evaluate(copied, metrics=["kernel", "precision-recall"], **options)
    torch.manual_seed(5)
    with settings(*ALL):
        state = describe_state()
        run = ganzoo.train(tiny(), out=tmp_path / "run", progress=False)
        bundle = ganzoo.export(run.path, tmp_path / "bundle", figures=False)
        again = ganzoo.evaluate(bundle, metrics=["kernel", "precision-recall"], **options)
        assert describe_state() == state
    weights, others = (load_file(p / "model.safetensors") for p in (bundle, tiny_bundle))
    assert all(torch.equal(weights[name], others[name]) for name in others)
    assert weights.keys() == others.keys()
    assert (bundle / "model.onnx").stat().st_size == (tiny_bundle / "model.onnx").stat().st_size
    assert again.metrics == metrics.metrics


def test_the_default_dtype_comes_back_whichever_thread_ends_last():
    first, second = threading.Event(), threading.Event()

    def hold(end):
        with torch_defaults():
            assert torch.get_default_dtype() == torch.float32
            end.wait(30)

    with default_dtype(torch.float64):
        threads = [threading.Thread(target=hold, args=[end]) for end in (first, second)]
        for thread in threads:
            thread.start()
        for thread, end in zip(threads, (first, second), strict=True):
            end.set()
            thread.join()
        assert torch.get_default_dtype() == torch.float64


def run_in_threads(function, count=2):
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(function, range(count)))


def test_trainings_in_threads_are_the_same_as_alone(tiny_run, tmp_path):
    def train(number):
        return ganzoo.train(tiny(), out=tmp_path / str(number), progress=False).bundle

    expected = load_file(tiny_run / "bundle" / "model.safetensors")
    for bundle in run_in_threads(train):
        weights = load_file(bundle / "model.safetensors")
        assert all(torch.equal(weights[name], expected[name]) for name in expected)


def test_exports_in_threads_succeed_and_leave_the_process_unchanged(tiny_bundle):
    model = ganzoo.load(tiny_bundle, runtime="torch")

    def describe():
        return sys.stdout, warnings.filters[:], logging.root.manager.disable, dict(os.environ)

    before = describe()
    graphs = run_in_threads(lambda _: trace(model, "generator").SerializeToString())
    assert graphs[0] == graphs[1]
    assert describe() == before


def test_a_model_is_sampled_while_it_is_exported(tiny_bundle):
    """torch's exporter puts other tensors in the place of the weights."""
    model = ganzoo.load(tiny_bundle, runtime="torch")
    expected, samples = model.sample(2, seed=1).numpy(), []
    with ThreadPoolExecutor() as pool:
        export = pool.submit(trace, model, "generator")
        while not export.done():
            samples.append(model.sample(2, seed=1).numpy())
    export.result()
    assert samples
    assert all(np.array_equal(sample, expected) for sample in samples)


def test_a_network_is_limited_in_its_thread_alone():
    hooks = torch.nn.modules.module._global_parameter_registration_hooks
    before = dict(hooks)
    with _Limited() as limit:
        assert dict(hooks) == before, "other threads iterate over them"
        torch.nn.Linear(2, 2)
        assert next(limit._counter) == 3, "a weight and a bias"


def test_a_model_in_train_mode_is_sampled_by_threads_while_it_is_trained():
    """BatchNorm's statistics follow the training alone, and every sample is in eval mode."""
    model = ganzoo.load("dcgan-mnist", runtime="torch").train()
    trained = ganzoo.load("dcgan-mnist", runtime="torch").train()
    expected = model.sample(2, seed=1).numpy()
    z = torch.randn(8, model.spec.latent.dim, generator=torch.Generator().manual_seed(0))
    stop, wrong = threading.Event(), []

    def sample():
        while not stop.is_set():
            wrong.append(not np.isfinite(model.sample(2, seed=1).numpy()).all())

    threads = [threading.Thread(target=sample) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        with torch.no_grad():
            model(z)
            trained(z)
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong
    assert not any(wrong)
    assert all(part.training for part in model.modules())
    buffers = dict(trained.named_buffers())
    assert all(torch.equal(buffer, buffers[name]) for name, buffer in model.named_buffers())
    assert not np.array_equal(model.sample(2, seed=1).numpy(), expected), "the statistics moved"


def count_runs(runs):
    def backend(graph, _):
        def run(*inputs):
            runs.append(1)
            return graph.forward(*inputs)

        return run

    return backend


def test_a_compiled_model_samples_with_compiled_code(tiny_bundle):
    model, runs = ganzoo.load(tiny_bundle, runtime="torch"), []
    expected = model.sample(40, seed=3).numpy()
    model.compile(backend=count_runs(runs))
    assert np.array_equal(model.sample(40, seed=3).numpy(), expected)
    assert len(runs) == 3, "one for each batch of 16"
    model.train()
    assert np.array_equal(model.sample(40, seed=3).numpy(), expected)
    assert "model.compile()" in type(model).__mro__[1].__doc__
