"""Weights of extractors are downloaded whole, or not at all."""

import hashlib
import http.server
import socket
import threading

import pytest

from ganzoo.errors import ExtractorError
from ganzoo.evaluation import download
from ganzoo.evaluation.download import download_weights

pytestmark = pytest.mark.enable_socket


class Weights(http.server.BaseHTTPRequestHandler):
    """Serves b"weights"; at the path /half, only a part."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "7")
        self.end_headers()
        self.wfile.write(b"weights"[: 3 if self.path == "/half" else 7])

    def log_message(self, *arguments):
        pass


@pytest.fixture
def address(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Weights) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_file_is_downloaded_whole_or_not_at_all(address, tmp_path):
    file, sha256 = tmp_path / "deep" / "x.pth", hashlib.sha256(b"weights").hexdigest()[:8]
    for url, start in ((f"{address}/half", sha256), (address, "00000000")):
        with pytest.raises(ExtractorError, match=f"does not begin with {start}"):
            download_weights("x@1", url, file, start)
    assert list(file.parent.iterdir()) == []
    download_weights("x@1", address, file, sha256)
    assert file.read_bytes() == b"weights"
    assert list(file.parent.iterdir()) == [file]


def test_a_silent_server_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(download, "TIMEOUT", 0.1)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/x.pth"
        with pytest.raises(ExtractorError, match=r"sent nothing for 0\.1 seconds.*another machine"):
            download_weights("x@1", url, tmp_path / "x.pth", "")
