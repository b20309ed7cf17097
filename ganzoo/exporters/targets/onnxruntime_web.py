"""Download the files of onnxruntime-web with the user's npm once, and cache them."""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import tarfile
from pathlib import Path

from ganzoo.bundle.files import new_folder, temporary_folder
from ganzoo.errors import DeploymentError
from ganzoo.system.cache import cache_folder

PACKAGE = "onnxruntime-web"
VERSION = "1.30.0"
SCRIPT = "ort.wasm.bundle.min.mjs"
WASM = "ort-wasm-simd-threaded.wasm"  # runs on one thread unless the page is cross-origin isolated
INTEGRITY = (  # of the archive, as npm's registry states it
    "sha512-q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ=="
)
FILE_INTEGRITY = {  # of the archive's files: the page checks what a server or a CDN sends
    SCRIPT: "sha384-PLWz+nHEVHpjwBsO0YVdvQj6n5814Iv8E3b8FG0Rp/uIAtjFMCKOpP66iPzedrIG",
    WASM: "sha384-vjBJ1z7qrhkTyYsNqKeF6c7N+nOJSU94czEo+tvZcu8G75JparGq9kB+kTnEUNVM",
}
CDN = f"https://cdn.jsdelivr.net/npm/{PACKAGE}@{VERSION}/dist/"

_TIMEOUT = 300  # seconds, for about 30 MB


def fetch_files() -> Path:
    """Return the folder that holds both files; npm downloads them at the first call.

    Raises:
        DeploymentError: npm is not installed, or cannot download the package with the known
            checksum.
        OutputError: the cache cannot be written.
    """
    folder = cache_folder() / f"{PACKAGE}-{VERSION}"
    if not all((folder / name).is_file() for name in (SCRIPT, WASM)):
        with temporary_folder() as temporary, new_folder(folder) as new:
            _unpack(_pack(temporary), new)
    return folder


def _pack(folder: Path) -> Path:
    """Download the package's archive into a folder with npm."""
    package = f"{PACKAGE}@{VERSION}"
    npm = shutil.which("npm")
    if npm is None:
        raise DeploymentError(
            f"the page needs {package} from npm, and npm is not installed. Install Node.js, or use "
            "--for web-cdn to load it from a content delivery network."
        )
    # By default, npm writes its cache and logs to the home folder.
    cache = ["--cache", str(folder / "npm")]
    command = [npm, "pack", package, "--silent", *cache, "--pack-destination", str(folder)]
    try:
        subprocess.run(
            command, cwd=folder, check=True, capture_output=True, text=True, timeout=_TIMEOUT
        )
        return next(folder.glob("*.tgz"))
    except (subprocess.SubprocessError, OSError, StopIteration) as error:
        lines = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
        raise DeploymentError(
            f"npm cannot download {package}: {lines[0] if lines else 'no message'}. Connect to the "
            "network and try again, or use --for web-cdn to load it from a content delivery "
            "network."
        ) from error


def _unpack(archive: Path, folder: Path) -> None:
    """Unpack the two files after the check of the archive: npm trusts the registry it is set to."""
    try:
        digest = hashlib.sha512(archive.read_bytes()).digest()
        if f"sha512-{base64.b64encode(digest).decode()}" != INTEGRITY:
            raise KeyError("another archive")
        with tarfile.open(archive) as files:
            for name in (SCRIPT, WASM):
                member = files.extractfile(f"package/dist/{name}")
                if member is None:
                    raise KeyError(name)
                (folder / name).write_bytes(member.read())
    except (KeyError, tarfile.TarError) as error:
        raise DeploymentError(
            f"npm's archive of {PACKAGE}@{VERSION} is damaged, or another one than its authors "
            "published. Check `npm config get registry`, or use --for web-cdn to load it from a "
            "content delivery network."
        ) from error
