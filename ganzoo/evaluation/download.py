"""Download the weights of an extractor."""

from __future__ import annotations

import hashlib
import http.client
import urllib.request
from pathlib import Path

import torch

from ganzoo.bundle.files import new_file
from ganzoo.errors import ExtractorError
from ganzoo.system.bars import progress_bar

TIMEOUT = 15.0  # seconds without a byte
BLOCK = 2**20  # bytes


def find_weights(extractor: str, url: str) -> Path:
    """Return the file of weights in torch's cache, and download it at the first use.

    Args:
        extractor: registered name of the extractor.
        url: address of its weights. Its file name ends with the start of their SHA-256.

    Raises:
        ExtractorError, OutputError: as `download_weights`.
    """
    file = Path(torch.hub.get_dir()) / "checkpoints" / url.rpartition("/")[2]
    if not file.is_file():
        download_weights(extractor, url, file, file.stem.rpartition("-")[2])
    return file


def download_weights(extractor: str, url: str, file: Path, sha256: str) -> None:
    """Download a file whole or not at all. torch's function waits for a silent server forever.

    Args:
        extractor: registered name of the extractor.
        url: address of its weights.
        file: the file to write.
        sha256: start of its SHA-256, in hexadecimal.

    Raises:
        ExtractorError: the server does not send the file, or another one.
        OutputError: the file cannot be written.
    """
    digest = hashlib.sha256()
    with new_file(file) as opened:
        try:
            with (
                urllib.request.urlopen(url, timeout=TIMEOUT) as response,
                progress_bar(total=response.length, unit="B", unit_scale=True) as progress,
            ):
                while block := response.read(BLOCK):
                    digest.update(block)
                    opened.write(block)
                    progress.update(len(block))
        except TimeoutError:
            reason = f"{url} sent nothing for {TIMEOUT:g} seconds"
        except (OSError, http.client.HTTPException) as error:
            reason = str(error)
        else:
            if digest.hexdigest().startswith(sha256):
                return
            reason = f"the SHA-256 of the file does not begin with {sha256}"
        raise ExtractorError(
            f"the weights of {extractor!r} are not at {file}, and the download failed: {reason}. "
            f"Download {url} to that path on another machine, or choose another extractor, such as "
            "--extractor colour-64@1."
        )
