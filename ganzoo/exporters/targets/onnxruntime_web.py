"""The files of onnxruntime-web that a page needs: taken by the user's npm once, then kept."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from ganzoo.bundle.files import cache_folder, new_folder
from ganzoo.errors import DeploymentError

PACKAGE = "onnxruntime-web"
VERSION = "1.30.0"
SCRIPT = "ort.wasm.bundle.min.mjs"
WASM = "ort-wasm-simd-threaded.wasm"  # runs on one thread where the page is not isolated
CDN = f"https://cdn.jsdelivr.net/npm/{PACKAGE}@{VERSION}/dist/"

_TIMEOUT = 300  # seconds for about 30 MB


def fetch_files() -> Path:
    """Return the folder that holds both files; npm takes them where it does not yet.

    Raises:
        DeploymentError: npm is not installed, cannot get the package, or it lacks the files.
        OutputError: the cache cannot be written.
    """
    folder = cache_folder() / f"{PACKAGE}-{VERSION}"
    if not all((folder / name).is_file() for name in (SCRIPT, WASM)):
        with tempfile.TemporaryDirectory() as temporary, new_folder(folder) as new:
            _unpack(_pack(Path(temporary)), new)
    return folder


def _pack(folder: Path) -> Path:
    """Let npm put the package's archive into a folder."""
    wanted = f"{PACKAGE}@{VERSION}"
    npm = shutil.which("npm")
    if npm is None:
        raise DeploymentError(
            f"the page needs {wanted}, which npm takes, and npm is not installed. Install Node.js, "
            "or use --for web-cdn: its page loads it from a content delivery network."
        )
    command = [npm, "pack", wanted, "--silent", "--pack-destination", str(folder)]
    try:
        subprocess.run(
            command, cwd=folder, check=True, capture_output=True, text=True, timeout=_TIMEOUT
        )
        return next(folder.glob("*.tgz"))
    except (subprocess.SubprocessError, OSError, StopIteration) as error:
        said = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
        raise DeploymentError(
            f"npm cannot get {wanted}: {said[0] if said else 'it said nothing'}. Try again with a "
            "network, or use --for web-cdn: its page loads it from a content delivery network."
        ) from error


def _unpack(archive: Path, folder: Path) -> None:
    try:
        with tarfile.open(archive) as files:
            for name in (SCRIPT, WASM):
                found = files.extractfile(f"package/dist/{name}")
                if found is None:
                    raise KeyError(name)
                (folder / name).write_bytes(found.read())
    except (KeyError, tarfile.TarError) as error:
        raise DeploymentError(
            f"what npm got is not {PACKAGE}@{VERSION} whole. Try again, or use --for web-cdn: its "
            "page loads it from a content delivery network."
        ) from error
