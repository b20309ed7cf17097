"""Sessions of onnxruntime: the device they compute on, their threads, and one line if it is not.

The options were chosen by `tools/bench_inference.py --options`:

- threads do not spin while they wait: where the cores have other work, as a server's have,
  spinning made batches a fifth to a half slower; on a quiet machine it makes large ones faster;
- all graph optimisations are on: they cost a session some milliseconds and save as much in a few
  batches;
- DequantizeLinear is an operation like others, which is computed once when a session begins: int8
  is how ganzoo stores weights, not how they are computed with;
- the memory arena and its pattern stay on: without them nothing was faster.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import io
import os
import sys
import warnings
from pathlib import Path

import onnxruntime as ort

from ganzoo.errors import BundleError, DeviceError
from ganzoo.runtimes.devices import check_threads, gpu_number

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"

MAX_MEMORY = 2**34  # bytes, 16 GiB, that all networks of a process may take on the CPU

_WARNING, _ERROR, _FATAL = 2, 3, 4  # onnxruntime's severities
_DRIVER = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"


def open_session(
    file: Path, *, device: str = "cpu", threads: int | None = None
) -> ort.InferenceSession:
    """Open a session on an ONNX file.

    Weights and all that is computed may take `MAX_MEMORY` at once; what asks for more is refused,
    since a small file may well declare a computation that takes terabytes.

    Args:
        file: the graph with its weights.
        device: ``cpu``; ``cuda`` or ``cuda:N``; ``auto``, which is ``cuda`` where a GPU answers and
            says in one warning why it is not.
        threads: that one operation may use on the CPU; by default OMP_NUM_THREADS, as torch does,
            so that processes side by side can share the cores, else one for each core.

    Raises:
        DeviceError: no such device, or it is not there; fewer threads than 1.
        BundleError: onnxruntime cannot read the file.
    """
    check_threads(threads)
    limit_memory()
    number = gpu_number(device)
    options = session_options(threads)
    if number is not None:
        reason = _cuda_is_missing()
        session = None if reason else _open(file, options, _cuda(number))
        if session and CUDA in session.get_providers():
            return session
        reason = reason or _cuda_does_not_answer(number)
        if device != "auto":
            raise DeviceError(f"device {device!r} is not there: {reason}. device='cpu' is.")
        warnings.warn(f"computing on the CPU: {reason}", stacklevel=5)
    session = _open(file, options, [CPU])
    assert session is not None  # the CPU is always there
    return session


def session_options(threads: int | None = None) -> ort.SessionOptions:
    """Return the options of every session; arguments as for `open_session`."""
    options = ort.SessionOptions()
    options.log_severity_level = _FATAL
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    options.add_session_config_entry("session.use_env_allocators", "1")
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    if threads is not None or wanted.isdecimal():
        options.intra_op_num_threads = threads or int(wanted)
    return options


def explain(error: Exception) -> str:
    """Return in a line what onnxruntime says."""
    return " ".join(str(error).split())[:300]


@functools.cache
def limit_memory() -> None:
    """Give all sessions of the process one pool of memory that does not outgrow `MAX_MEMORY`."""
    kind = ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR
    pool = ort.OrtMemoryInfo("Cpu", kind, 0, ort.OrtMemType.DEFAULT)
    as_requested = 1  # by which the pool grows
    limits = ort.OrtArenaCfg({"max_mem": MAX_MEMORY, "arena_extend_strategy": as_requested})
    with contextlib.suppress(RuntimeError):  # the program has one already, and its own limits
        ort.create_and_register_allocator(pool, limits)


def _cuda(number: int) -> list[str | tuple[str, dict[str, str]]]:
    """The GPU's provider, and the CPU's for what operations it lacks.

    It computes with float32's whole mantissa, and picks algorithms by rule rather than by trying
    them, so that images are the CPU's to a level and a session begins at once.
    """
    settings = {
        "device_id": str(number),
        "use_tf32": "0",
        "cudnn_conv_algo_search": "HEURISTIC",
    }
    return [(CUDA, settings), CPU]


def _open(
    file: Path,
    options: ort.SessionOptions,
    providers: list[str] | list[str | tuple[str, dict[str, str]]],
) -> ort.InferenceSession | None:
    """Open a session and let onnxruntime say nothing; None where the GPU refuses."""
    on_gpu = providers != [CPU]
    if on_gpu:
        ort.set_default_logger_severity(_FATAL)
    try:
        return ort.InferenceSession(str(file), options, providers=providers, enable_fallback=0)
    except Exception as error:
        if on_gpu and file.is_file():  # whatever it is, the CPU's session finds what else is wrong
            return None
        raise BundleError(f"onnxruntime cannot read {file}: {explain(error)}") from error
    finally:
        if on_gpu:
            ort.set_default_logger_severity(_WARNING)


def _cuda_is_missing() -> str:
    """Say why no GPU can answer, and what to do; empty where one may. Loads CUDA's libraries."""
    if CUDA not in ort.get_available_providers():
        return "this onnxruntime knows no CUDA: pip install onnxruntime-gpu"
    try:
        ctypes.CDLL(_DRIVER)
    except OSError:
        return f"this machine has no NVIDIA driver ({_DRIVER})"
    if hasattr(ort, "preload_dlls"):  # finds those that come with torch, without importing it
        with contextlib.redirect_stdout(io.StringIO()):
            ort.preload_dlls()
    return ""


def _cuda_does_not_answer(number: int) -> str:
    """Say what keeps onnxruntime from a GPU that has a driver."""
    folder = Path(ort.__file__).parent / "capi"
    for library in folder.glob("*onnxruntime_providers_cuda.*"):
        try:
            ctypes.CDLL(str(library))
        except OSError as error:
            return (
                f"onnxruntime {ort.__version__} cannot load CUDA ({error}). It comes with torch, "
                "or with pip install 'onnxruntime-gpu[cuda,cudnn]'"
            )
    return f"no GPU of number {number} takes the model"
