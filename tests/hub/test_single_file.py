"""One file of any repository is downloaded by the Hub's client, from a server on loopback."""

import hashlib
import io

import pytest
import torch

from ganzoo.errors import NameSyntaxError
from ganzoo.hub import download_file
from helpers.hub_client import IMPATIENT, HubClient
from helpers.hub_server import HubServer

pytestmark = pytest.mark.enable_socket

CODE = """
from ganzoo.hub import download_file
path, address = download_file({!r})
value = [path.read_bytes().hex()[:8], address, (path.parent / "config.json").exists()]
"""


@pytest.fixture(scope="module")
def server():
    server = HubServer()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def client(server, tmp_path_factory):
    client = HubClient(server.endpoint, tmp_path_factory.mktemp("client"))
    client.run(IMPATIENT)
    yield client
    client.stop()


@pytest.fixture
def repository(server, request):
    server.reset()
    stream = io.BytesIO()
    torch.save({"weight": torch.ones(2)}, stream)
    name = hashlib.sha256(request.node.name.encode()).hexdigest()[:12]
    files = {"weights/net.pth": stream.getvalue(), "alone.pth": b"alone"}
    return server.add(f"org/{name}", files | {"weights/config.json": b"{}"})


def test_a_file_comes_with_its_config_and_the_address_of_its_commit(repository, client, server):
    name = f"hf://{repository.name}/weights/net.pth"
    commit = repository.head.oid
    answer = client.run(CODE.format(name))
    assert answer.value == ["504b0304", f"{name}@{commit}", True], answer.err
    server.reset()
    assert client.run(CODE.format(f"{name}@{commit}")).value[1] == f"{name}@{commit}"
    assert server.requests == [], "a commit in the cache needs no request"


def test_a_repository_without_a_config(repository, client):
    answer = client.run(CODE.format(f"hf://{repository.name}/alone.pth@main"))
    assert answer.value == [b"alon".hex(), f"hf://{repository.name}/alone.pth@{repository.head.oid}", False]  # fmt: skip


def test_a_missing_file_and_a_missing_repository_are_named(repository, client):
    answer = client.run(CODE.format(f"hf://{repository.name}/none.pth"))
    assert "HubError" in answer.error
    assert f"{repository.name} has no file 'none.pth' at main" in answer.text
    assert "HubError" in client.run(CODE.format("hf://org/nowhere/net.pth")).error


def test_a_kill_leaves_no_file_without_its_config(repository, client, server):
    """The config is downloaded first, because a file in the cache needs no request."""
    client.run(CODE.format(f"hf://{repository.name}/weights/net.pth"))
    downloads = [r for r in server.requests if r.startswith("GET ")]
    assert [r.rpartition("/")[2] for r in downloads] == ["config.json", "net.pth"]


def test_a_file_of_the_hub_can_be_inspected(repository, client):
    code = f"from ganzoo.cli import main; value = main(['import', 'hf://{repository.name}/weights/net.pth', '--inspect'])"
    answer = client.run(code)
    assert answer.value == 0, answer.err
    assert "    weight  float32   2\n" in answer.out


@pytest.mark.parametrize(
    "address", ["hf://org/repo", "hf://org/repo/", "hf://org/repo/../x", "hf://org/repo/x@-y"]
)
def test_another_form_is_refused(address):
    with pytest.raises(NameSyntaxError, match="hf://org/repo/FILE@revision"):
        download_file(address)
