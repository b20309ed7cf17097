"""Open sessions of onnxruntime with a device, a number of threads and a memory limit.

`tools/bench_inference.py --options` measured the options:

- Threads do not spin while they wait. On a machine with other load, such as a server, spinning made
  batches a fifth to a half slower; on an idle machine it makes large batches faster.
- All graph optimisations are on. They cost a few milliseconds per session and save as much within a
  few batches.
- DequantizeLinear is folded when a session starts: ganzoo stores weights as int8 and computes with
  float32.
- The memory arena and its pattern stay on: turning them off made nothing faster.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import sys
import warnings
from pathlib import Path

from ganzoo.errors import BundleError, DeviceError
from ganzoo.runtimes.devices import check_threads, gpu_number
from ganzoo.system.dependencies import quiet_imports
from ganzoo.system.quiet import hidden_output

with quiet_imports():
    import onnxruntime as ort

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"

MAX_MEMORY = 2**34  # bytes, 16 GiB, for all networks of a process on the CPU

_WARNING, _ERROR, _FATAL = 2, 3, 4  # onnxruntime's severities
_DRIVER = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"


def open_session(
    content: bytes, file: Path, *, device: str = "cpu", threads: int | None = None
) -> ort.InferenceSession:
    """Open a session on the content of an ONNX file.

    Weights and intermediate results are limited to `MAX_MEMORY`, since a small file can declare a
    computation of terabytes.

    Args:
        content: the graph with its weights, as `ganzoo.runtimes.onnx_file.read_onnx` returns it.
        file: its file, for messages.
        device: ``cpu``, ``cuda``, ``cuda:N``, or ``auto``, which uses a GPU if it can and otherwise
            warns with the reason and uses the CPU.
        threads: threads of one operation on the CPU; by default OMP_NUM_THREADS, as in torch, or
            one for each core.

    Raises:
        DeviceError: the device is unknown or not available, or `threads` is below 1.
        BundleError: onnxruntime cannot read the file.
    """
    check_threads(threads)
    limit_memory()
    number = gpu_number(device)
    options = session_options(threads)
    if number is not None:
        reason = _cuda_is_missing()
        session = None if reason else _open(content, file, options, _cuda(number))
        if session and CUDA in session.get_providers():
            return session
        reason = reason or _cuda_does_not_answer(number)
        if device != "auto":
            raise DeviceError(f"device {device!r} is not available: {reason}. Or use device='cpu'.")
        warnings.warn(f"computing on the CPU: {reason}", stacklevel=5)
    session = _open(content, file, options, [CPU])
    assert session is not None  # the CPU is always available
    return session


def session_options(threads: int | None = None) -> ort.SessionOptions:
    """Return the options of every session; arguments as for `open_session`."""
    options = ort.SessionOptions()
    options.log_severity_level = _FATAL
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    # Otherwise bytes that are ONNX to the check may be onnxruntime's own format to the session.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    options.add_session_config_entry("session.use_env_allocators", "1")
    default = os.environ.get("OMP_NUM_THREADS", "")
    if threads is not None or default.isdecimal():
        options.intra_op_num_threads = threads or int(default)
    return options


def explain(error: Exception) -> str:
    """Return an error of onnxruntime as one line."""
    return " ".join(str(error).split())[:300].rstrip(".")


@functools.cache
def limit_memory() -> None:
    """Give all sessions of the process one memory pool of at most `MAX_MEMORY`."""
    kind = ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR
    pool = ort.OrtMemoryInfo("Cpu", kind, 0, ort.OrtMemType.DEFAULT)
    as_requested = 1  # the pool grows by the requested size
    limits = ort.OrtArenaCfg({"max_mem": MAX_MEMORY, "arena_extend_strategy": as_requested})
    with contextlib.suppress(RuntimeError):  # the program has registered its own pool
        ort.create_and_register_allocator(pool, limits)


def _cuda(number: int) -> list[str | tuple[str, dict[str, str]]]:
    """Return the GPU's provider, and the CPU's for operations that the GPU does not support.

    TF32 is off, so that images match the CPU's to one pixel level. Convolution algorithms are
    chosen by heuristic, so that a session starts without a benchmark.
    """
    settings = {
        "device_id": str(number),
        "use_tf32": "0",
        "cudnn_conv_algo_search": "HEURISTIC",
    }
    return [(CUDA, settings), CPU]


def _open(
    content: bytes,
    file: Path,
    options: ort.SessionOptions,
    providers: list[str] | list[str | tuple[str, dict[str, str]]],
) -> ort.InferenceSession | None:
    """Open a session without log output; return None if the GPU cannot run the file."""
    on_gpu = providers != [CPU]
    if on_gpu:
        ort.set_default_logger_severity(_FATAL)
    try:
        session = ort.InferenceSession(content, options, providers=providers, enable_fallback=0)
        session._model_bytes = None  # it keeps them for a fallback, which is off
        return session
    except Exception as error:
        if on_gpu:  # a fault of the file shows in the CPU's session
            return None
        raise BundleError(
            f"onnxruntime cannot read {file}: {explain(error)}. Get the bundle again."
        ) from error
    finally:
        if on_gpu:
            ort.set_default_logger_severity(_WARNING)


def _cuda_is_missing() -> str:
    """Return why CUDA is missing and what to do, or an empty string. Loads CUDA's libraries."""
    if CUDA not in ort.get_available_providers():
        return "this onnxruntime does not support CUDA: pip install onnxruntime-gpu"
    try:
        ctypes.CDLL(_DRIVER)
    except OSError:
        return f"this machine has no NVIDIA driver ({_DRIVER})"
    if hasattr(ort, "preload_dlls"):  # loads the libraries installed with torch, without torch
        with hidden_output():
            ort.preload_dlls()
    return ""


def _cuda_does_not_answer(number: int) -> str:
    """Return why onnxruntime cannot use a GPU although a driver is installed."""
    folder = Path(ort.__file__).parent / "capi"
    for library in folder.glob("*onnxruntime_providers_cuda.*"):
        try:
            ctypes.CDLL(str(library))
        except OSError as error:
            return (
                f"onnxruntime {ort.__version__} cannot load CUDA ({error}). Install torch, or pip "
                "install 'onnxruntime-gpu[cuda,cudnn]'"
            )
    return f"GPU {number} does not exist or cannot run the model"
