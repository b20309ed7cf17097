import warnings

import numpy as np
import onnxruntime
import pytest
import torch

import ganzoo
from ganzoo.cli import main
from ganzoo.errors import DeviceError, SampleError
from ganzoo.runtimes import sessions
from ganzoo.sampling import latents
from ganzoo.sampling.generator import MAX_BATCH
from ganzoo.spec import LatentSpec
from helpers.processes import run_new

RUNTIMES = ["onnx", "torch"]
NO_GPU = pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")


@NO_GPU
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_missing_gpu_is_an_error_in_one_line(tiny_bundle, runtime, capfd):
    message = r"^device 'cuda' is not available: .*\. (Or use|Use) device='cpu'\.$"
    with pytest.raises(DeviceError, match=message):
        ganzoo.load(tiny_bundle, runtime=runtime, device="cuda")
    captured = capfd.readouterr()
    assert captured.out + captured.err == "", "onnxruntime's own messages are not shown"


@NO_GPU
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_auto_falls_back_to_the_cpu_and_warns_once(tiny_bundle, runtime, capfd):
    with pytest.warns(UserWarning, match="^computing on the CPU: ") as record:
        model = ganzoo.load(tiny_bundle, runtime=runtime, device="auto")
    assert len(record) == 1
    assert "\n" not in str(record[0].message)
    assert record[0].filename == __file__, "it points at who asked"
    assert capfd.readouterr() == ("", "")
    plain = ganzoo.load(tiny_bundle, runtime=runtime)
    assert np.array_equal(model.sample(3).numpy(), plain.sample(3).numpy())


def test_missing_cuda_libraries_are_named(tiny_bundle, monkeypatch, capfd):
    """If there is a driver (here any library), the error quotes onnxruntime."""
    if torch.cuda.is_available() or sessions.CUDA not in onnxruntime.get_available_providers():
        pytest.skip("needs onnxruntime-gpu on a machine without a GPU")
    monkeypatch.setattr(sessions, "_DRIVER", None)
    with pytest.raises(DeviceError) as error:
        ganzoo.load(tiny_bundle, runtime="onnx", device="cuda:1")
    assert "device 'cuda:1' is not available" in str(error.value)
    assert "cannot load CUDA (lib" in str(error.value) or "GPU 1 does not exist" in str(error.value)
    assert "\n" not in str(error.value)
    assert capfd.readouterr() == ("", "")


def test_onnxruntime_without_cuda_names_the_package(tiny_bundle, monkeypatch):
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [sessions.CPU])
    with pytest.raises(DeviceError, match="does not support CUDA: pip install onnxruntime-gpu"):
        ganzoo.load(tiny_bundle, runtime="onnx", device="cuda")


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize(
    "device", ["gpu", "cuda:", "cuda:-1", "cuda:٣", f"cuda:{9:0>5000}", "CUDA", "", "cpu:0"]
)
def test_an_unknown_device_is_refused(tiny_bundle, runtime, device):
    with pytest.raises(DeviceError, match=f"^unknown device {device!r}. Use 'cpu', 'cuda'"):
        ganzoo.load(tiny_bundle, runtime=runtime, device=device)


def test_threads_come_from_the_argument_or_the_environment(tiny_bundle, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    by_default = ganzoo.load(tiny_bundle, runtime="onnx")
    by_argument = ganzoo.load(tiny_bundle, runtime="onnx", threads=1)
    options = [m._session.get_session_options() for m in (by_default, by_argument)]
    assert [o.intra_op_num_threads for o in options] == [3, 1]
    assert np.array_equal(by_default.sample(20).numpy(), by_argument.sample(20).numpy())
    for threads in (0, -2):
        with pytest.raises(DeviceError, match=f"threads is {threads}, but it must be 1 or more"):
            ganzoo.load(tiny_bundle, runtime="onnx", threads=threads)
    with pytest.raises(DeviceError, match=r"torch\.set_num_threads\(4\)"):
        ganzoo.load(tiny_bundle, runtime="torch", threads=4)


def test_the_command_line_has_device_and_threads(tiny_bundle, tmp_path, capsys):
    command = ["sample", str(tiny_bundle), "-n", "4", "-o", str(tmp_path / "a.png")]
    assert main([*command, "--runtime", "onnx", "--device", "cpu", "--threads", "1"]) == 0
    assert main([*command, "--runtime", "onnx", "--device", "gpu"]) == 1
    assert capsys.readouterr().err.startswith("error: unknown device 'gpu'")


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_empty_and_huge_batches_are_refused(tiny_bundle, runtime):
    model = ganzoo.load(tiny_bundle, runtime=runtime)
    with pytest.raises(SampleError, match=r"have shape \(0, 8\)"):
        model.generate(np.zeros((0, 8), np.float32))
    with pytest.raises(
        SampleError, match=r"batch of 1,000,000: a batch has up to 4,096.*decode\(z\)"
    ):
        model.generate(np.zeros((1_000_000, 8), np.float32))
    z = latents.normal(0, MAX_BATCH + 1, 8)
    assert model.decode(z).numpy().shape == (MAX_BATCH + 1, 16, 16, 1)


def test_more_images_than_memory_are_refused_before_sampling():
    class Huge(ganzoo.Generator):
        spec = ganzoo.ModelSpec(
            "huge",
            "none",
            {},
            (),
            ganzoo.DataSpec(ganzoo.ImageSpec(1024, 1024, 3)),
            LatentSpec(8),
        )

        def run(self, inputs):
            raise AssertionError("it was run")

    with pytest.raises(SampleError, match=r"1,000,000 images of 1024x1024x3 take 2,930 GiB"):
        Huge().sample(1_000_000)


def test_failures_of_onnxruntime_are_one_error(tiny_bundle):
    model = ganzoo.load(tiny_bundle, runtime="onnx")
    with pytest.raises(SampleError, match=r"cannot run 'tiny' on a batch of 2: "):
        model.run({"z": np.zeros((2, 9), np.float32)})


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_gpu_and_cpu_images_differ_by_at_most_one_level(tiny_bundle):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in (tiny_bundle, "dcgan-mnist"):
            model = ganzoo.load(name, runtime="onnx", device="cuda")
            assert model._session.get_providers()[0] == sessions.CUDA
            on_cpu = ganzoo.load(name, runtime="onnx").sample(64).numpy().astype(int)
            assert np.abs(model.sample(64).numpy() - on_cpu).max() <= 1


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_cuda_libraries_are_found_without_importing_torch():
    code = """
import sys, ganzoo
model = ganzoo.load("dcgan-mnist", runtime="onnx", device="cuda")
assert model.sample(1).numpy().std() > 0
assert "torch" not in sys.modules
"""
    result = run_new("-c", code)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
