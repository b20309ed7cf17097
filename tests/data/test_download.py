"""`ganzoo data download`, from a server on loopback."""

import gzip
import hashlib
import http.server
import importlib
import io
import sys
import tarfile
import threading
import time
import zipfile

import pytest
import torch
import torchvision

from ganzoo.cli import main
from ganzoo.data import downloading
from ganzoo.errors import AmbiguousNameError, DataError
from ganzoo.spec.downloads import DownloadFile, Downloads
from helpers.datasets import fake_mnist, get, pictures
from helpers.process_state import unchanged
from helpers.vision_sets import WRITERS

pytestmark = pytest.mark.enable_socket


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.requests.append(f"{self.command} {self.path}")
        content = self.server.contents.get(self.path.lstrip("/"))
        if content is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            if self.path in self.server.silent:
                time.sleep(0.6)
            self.wfile.write(content[: self.server.cut])

    do_HEAD = do_GET

    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def running():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def server(running):
    running.contents, running.requests, running.silent, running.cut = {}, [], set(), None
    running.url = f"http://127.0.0.1:{running.server_port}/"
    return running


def md5(content):
    return hashlib.md5(content).hexdigest()


def zip_of(files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def tar_of(files):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def files_of(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def serve_mnist(source, server, monkeypatch, dead=()):
    fake_mnist(source)
    kind = torchvision.datasets.MNIST
    server.contents = {
        f"{name}.gz": gzip.compress(content)
        for name, content in files_of(source / "MNIST/raw").items()
    }
    resources = [(name, md5(content)) for name, content in server.contents.items()]
    monkeypatch.setattr(kind, "resources", resources)
    monkeypatch.setattr(kind, "mirrors", [*dead, server.url])


def same(name, ours, theirs, **arguments):
    pairs = zip(get(name, ours, **arguments)[0], get(name, theirs, **arguments)[0], strict=True)
    return all(torch.equal(a[0], b[0]) and a[1] == b[1] for a, b in pairs)


def test_mnist_is_downloaded_checked_and_unpacked(tmp_path, server, monkeypatch, capfd):
    source, data = tmp_path / "source", tmp_path / "data"
    serve_mnist(source, server, monkeypatch, dead=[f"{server.url}dead/"])
    assert main(["data", "download", "mnist", "--data", str(data)]) == 0
    out, err = capfd.readouterr()
    total = sum(map(len, server.contents.values()))
    assert "mnist: MNIST (LeCun et al., 1998)\nlicence: cc-by-sa-3.0\n" in out
    assert f"download: {total / 1e6:,.1f} MB, to {data}" in out
    assert "--dataset mnist --data" in out
    assert err.count(", MD5 ") == 4
    assert same("mnist", data, source)
    torchvision.datasets.MNIST(data)  # torchvision reads it, too
    server.requests.clear()
    assert main(["data", "download", "mnist", "--data", str(data)]) == 0
    assert server.requests == []
    assert capfd.readouterr().err.count("is there already") == 4


def test_every_kind_of_archive_is_unpacked(tmp_path, server, monkeypatch):
    sets = torchvision.datasets
    for name in ("cifar-10", "emnist", "svhn", "omniglot"):
        (tmp_path / name).mkdir()
        WRITERS[name](tmp_path / name)
    server.contents["c.tar.gz"] = tar_of(files_of(tmp_path / "cifar-10"))
    monkeypatch.setattr(sets.CIFAR10, "url", f"{server.url}c.tar.gz")
    monkeypatch.setattr(sets.CIFAR10, "tgz_md5", md5(server.contents["c.tar.gz"]))
    server.contents["gzip.zip"] = zip_of(
        {
            f"gzip/{name}.gz": gzip.compress(content)
            for name, content in files_of(tmp_path / "emnist/EMNIST/raw").items()
        }
    )
    monkeypatch.setattr(sets.EMNIST, "url", f"{server.url}gzip.zip")
    monkeypatch.setattr(sets.EMNIST, "md5", md5(server.contents["gzip.zip"]))
    mats = files_of(tmp_path / "svhn")
    server.contents |= mats
    listing = {
        name.partition("_")[0]: [server.url + name, name, md5(content)]
        for name, content in mats.items()
    }
    monkeypatch.setattr(sets.SVHN, "split_list", listing)
    zips = {
        name: zip_of(
            {
                f"{name}/{path}": content
                for path, content in files_of(tmp_path / "omniglot/omniglot-py" / name).items()
            }
        )
        for name in ("images_background", "images_evaluation")
    }
    server.contents |= {f"{name}.zip": content for name, content in zips.items()}
    monkeypatch.setattr(sets.Omniglot, "download_url_prefix", server.url.rstrip("/"))
    sums = {name: md5(content) for name, content in zips.items()}
    monkeypatch.setattr(sets.Omniglot, "zips_md5", sums)
    data = tmp_path / "data"
    for name in ("cifar-10", "emnist", "svhn", "omniglot"):
        assert main(["data", "download", name, "--data", str(data)]) == 0
        assert same(name, data, tmp_path / name)
    assert not (data / "extra_32x32.mat").exists()
    assert main(["data", "download", "svhn", "--data", str(data), "--split", "extra"]) == 0
    assert same("svhn", data, tmp_path / "svhn", split="extra")


def test_a_name_of_several_distributions_does_not_hide_the_advice(monkeypatch):
    get = downloading.datasets.get

    def ambiguous(name):
        if name == "digits":
            raise AmbiguousNameError("several distributions register the dataset 'digits'.")
        return get(name)

    monkeypatch.setattr(downloading.datasets, "get", ambiguous)
    with pytest.raises(DataError, match="cannot download the dataset 'folder'. It downloads .*mni"):
        downloading.find_downloads("folder")


def test_another_content_is_refused_and_leaves_nothing(tmp_path, server, monkeypatch, capfd):
    serve_mnist(tmp_path / "source", server, monkeypatch)
    data = tmp_path / "data"
    command = ["data", "download", "mnist", "--data", str(data)]
    first = next(iter(server.contents))
    content = server.contents[first]
    for change, message in (
        (lambda: server.contents.update({first: content + b"x"}), "with another MD5"),
        (lambda: server.contents.pop(first), "404"),
        (
            lambda: (server.contents.update({first: content}), setattr(server, "cut", 9)),
            "it sent 9 of",
        ),
    ):
        change()
        assert main(command) == 1
        message_shown = capfd.readouterr().err
        assert f"cannot download {first}: 127.0.0.1" in message_shown
        assert message in message_shown
        assert files_of(data) == {}
    server.cut = None
    server.silent.add(f"/{first}")
    monkeypatch.setattr(downloading, "TIMEOUT", 0.2)
    assert main(command) == 1
    assert "it sent nothing for 0.2 seconds" in capfd.readouterr().err
    server.silent.clear()
    assert main(command) == 0


def test_an_archive_cannot_write_elsewhere(tmp_path, server):
    for kind, content in (
        ("tar", tar_of({"../evil": b"x"})),
        ("zip", zip_of({"../evil": b"x"})),
    ):
        server.contents = {"a": content}
        file = DownloadFile("in/a", (f"{server.url}a",), md5(content), kind)
        with pytest.raises(DataError, match="leads out"):
            downloading.download([file], tmp_path / "root", print)
        assert not (tmp_path / "root" / "evil").exists()


def test_what_cannot_be_downloaded_is_told(tmp_path, capfd):
    assert main(["data", "download", "folder", "--data", str(tmp_path)]) == 1
    assert "It downloads cifar-10, emnist" in capfd.readouterr().err
    assert main(["data", "download", "mnist"]) == 1
    assert "Pass --data DIR or set GANZOO_DATA=DIR" in capfd.readouterr().err
    assert main(["data", "download", "usps", "--data", str(tmp_path), "--split", "x"]) == 1
    assert "have no split 'x'. Use --split test, train" in capfd.readouterr().err
    assert main(["data", "download", "mnist", "--data", str(tmp_path), "--split", "x"]) == 1
    assert "have no split 'x'. Leave out --split" in capfd.readouterr().err


def test_a_folder_named_download_is_still_described(tmp_path, monkeypatch, capfd):
    pictures(tmp_path / "download", ["1.png", "2.png"])
    monkeypatch.chdir(tmp_path)
    assert main(["data", "./download", "--workers", "1"]) == 0
    assert "2 image files without classes" in capfd.readouterr().out


def test_the_import_of_torchvision_leaves_the_process_as_it_was(tmp_path, monkeypatch):
    module = tmp_path / "list_of_files.py"
    module.write_text(
        "import os, warnings\nos.environ['KMP_INIT_AT_FORK'] = 'FALSE'\n"
        "warnings.simplefilter('ignore')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, module.stem, None)  # the import below is undone
    del sys.modules[module.stem]

    def files():
        importlib.import_module(module.stem)
        return [DownloadFile("a", (), "")]

    with unchanged("the list of files"):
        assert downloading.choose_files("set", Downloads("", None, files), "") == files()
    assert module.stem in sys.modules
