"""Video files, written image by image with FFmpeg's libraries (PyAV)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import av
import numpy as np
from av.video.reformatter import Colorspace
from numpy.typing import NDArray

from ganzoo.errors import OutputError
from ganzoo.sampling.animated_images import write_all

# Encoders by file name extension, the best first, each with its options.
_AV1 = {"crf": "28", "preset": "8"}
ENCODERS: dict[str, dict[str, dict[str, str]]] = {
    ".mp4": {"libx264": {"crf": "18"}, "libsvtav1": _AV1},
    ".webm": {"libvpx-vp9": {"crf": "24", "cpu-used": "4", "row-mt": "1"}, "libsvtav1": _AV1},
}
# A file is readable while it grows: parts of one second, and at the end an index of the whole.
_GROWING = {".mp4": {"movflags": "hybrid_fragmented"}, ".webm": {}}
_FORMAT = {".mp4": "mp4", ".webm": "webm"}


def find_encoder(suffix: str) -> str:
    """Return the best encoder of FFmpeg for a file name extension.

    Raises:
        OutputError: FFmpeg has none.
    """
    available = {
        ending: next((name for name in encoders if _has(name)), None)
        for ending, encoders in ENCODERS.items()
    }
    if encoder := available[suffix]:
        return encoder
    others = [ending for ending, name in available.items() if name]
    raise OutputError(
        f"cannot write a video in {suffix}: FFmpeg, as installed with av {av.__version__}, has no "
        f"encoder {' or '.join(ENCODERS[suffix])}. Use {', '.join([*others, '.webp'])} or .gif."
    )


class Video:
    """A video in a file: 4:2:0, in the colours of BT.709.

    Attributes:
        frames: number of images that were added.
    """

    def __init__(self, file: BinaryIO, suffix: str, fps: float) -> None:
        """Start a video.

        Args:
            file: an empty file that is open for writing, unbuffered or in memory.
            suffix: ``.mp4`` or ``.webm``.
            fps: images per second.

        Raises:
            OutputError: FFmpeg has no encoder for the format, or fails.
        """
        self._encoder = find_encoder(suffix)
        self._options = ENCODERS[suffix][self._encoder]
        self._rate = Fraction(fps).limit_denominator(1001)
        self._file = _Sink(file)
        with self._reporting():
            self._container = av.open(
                self._file, "w", format=_FORMAT[suffix], options=_GROWING[suffix]
            )
        self._stream: Any = None
        self.frames = 0

    def add(self, image: NDArray[np.uint8]) -> None:
        """Encode an image, (height, width, channels): RGB, or else its first channel in grey.

        Odd sides get a copy of their last row or column, since 4:2:0 needs even ones.

        Raises:
            OSError: the file cannot be written.
            OutputError: FFmpeg fails.
        """
        colours = np.broadcast_to(image[:, :, :1], (*image.shape[:2], 3))
        if image.shape[2] == 3:
            colours = image
        height, width = image.shape[:2]
        if height % 2 or width % 2:
            colours = np.pad(colours, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        with self._reporting():
            if self._stream is None:
                self._stream = self._start(*colours.shape[1::-1])
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(colours), format="rgb24")
            frame = frame.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709)
            frame.pts, frame.time_base = self.frames, 1 / self._rate
            self._container.mux(self._stream.encode(frame))
        self._file.check()
        self.frames += 1

    def close(self) -> None:
        """Complete the file.

        Raises:
            OSError: the file cannot be written.
            OutputError: FFmpeg fails.
        """
        with self._reporting():
            try:
                if self._stream is not None:
                    self._container.mux(self._stream.encode())
            finally:
                self._container.close()
        self._file.check()

    @contextlib.contextmanager
    def _reporting(self) -> Iterator[None]:
        """Convert an error of FFmpeg; only some are an OSError."""
        try:
            yield
        except av.FFmpegError as error:
            raise OutputError(
                f"FFmpeg cannot encode this video with {self._encoder}: {error.strerror}. Use "
                ".webp or .gif, which need no FFmpeg."
            ) from error

    def _start(self, width: int, height: int) -> Any:
        stream: Any = self._container.add_stream(
            self._encoder, rate=self._rate, options=self._options
        )
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        context = stream.codec_context
        context.gop_size = max(1, round(self._rate))
        bt709, limited = 1, 1  # of FFmpeg's enumerations
        context.colorspace = context.color_primaries = context.color_trc = bt709
        context.color_range = limited
        return stream


def recover(path: Path, suffix: str) -> int:
    """Remove an incomplete part at the end of a video, and return the number of its images."""
    if suffix == ".mp4":
        _cut_fragment(path)
    try:
        with av.open(str(path)) as container:
            return sum(1 for packet in container.demux(video=0) if packet.size)
    except (av.FFmpegError, IndexError):  # no image is complete
        return 0


def _cut_fragment(path: Path) -> None:
    """Truncate an MP4 file after its last complete fragment: a box moof and a box mdat.

    A file that FFmpeg has completed stays as it is: its last box is moov.
    """
    size, position, end, header = path.stat().st_size, 0, 0, b""
    with path.open("r+b") as file:
        while position + 8 <= size:
            file.seek(position)
            header = file.read(8)
            position += max(8, int.from_bytes(header[:4]))
            if position <= size and header[4:] == b"mdat":
                end = position
        if position != size or header[4:] == b"moof":
            file.truncate(end)


def _has(encoder: str) -> bool:
    try:
        av.Codec(encoder, "w")
    except ValueError:
        return False
    return True


class _Sink:
    """A file that ignores all writes after one that failed, so that it stays readable.

    FFmpeg does not learn of the failure: after it, FFmpeg may crash.

    Attributes:
        failure: the error of the write that failed.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.failure: OSError | None = None

    def write(self, data: bytes) -> int:
        if self.failure is None:
            try:
                write_all(self._file, data)
            except OSError as error:
                self.failure = error
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def check(self) -> None:
        if self.failure is not None:
            raise self.failure
