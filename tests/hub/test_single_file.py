"""Files of any repository are downloaded by the Hub's client, from a server on loopback."""

import hashlib
import io

import pytest
import torch

from ganzoo.bundle.files import git_hash
from ganzoo.errors import NameSyntaxError
from ganzoo.hub import download_file
from helpers.hub_client import IMPATIENT, HubClient
from helpers.hub_server import HubServer, flip, status

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


DATASET = """
import os
os.environ["GANZOO_CACHE"] = {cache!r}
from ganzoo.hub.dataset_files import list_dataset
listing = list_dataset({name!r}, {revision!r})
parts = [n for n in listing.names if n.endswith(".parquet")]
value = [listing.commit, parts, listing.header, [p.read_bytes().decode() for p in listing.fetch(parts)]]
"""


def test_files_of_a_dataset_are_downloaded_once(client, server, tmp_path):
    server.reset()
    files = {"README.md": b"---\nlicense: mit\n---\n", "a.parquet": b"1", "b/c.parquet": b"2"}
    repository = server.add("datasets/org/set", files | {"set.py": b"raise SystemExit"})
    commit = repository.head.oid

    def run(revision="", name="org/set"):
        return client.run(DATASET.format(cache=str(tmp_path), name=name, revision=revision))

    expected = [commit, ["a.parquet", "b/c.parquet"], {"license": "mit"}, ["1", "2"]]
    answer = run()
    assert answer.value == expected, answer.text + answer.err
    assert not any("set.py" in request for request in server.requests)
    server.reset()
    assert run(commit).value == expected
    assert server.requests == [], "a commit in the cache needs no request"
    server.plan("GET /api/datasets", *[status(503)] * 4)
    assert f"--dataset.revision {commit}" in run().text
    server.reset()
    for name, revision, message in (
        ("org/set", "nowhere", "no such branch, tag or commit. Leave out --dataset.revision"),
        ("org/set", "a/../b", "--dataset.revision with a branch"),
        ("org/other", "", "no public repository has this name"),
        ("set", "", "--dataset.repository org/name"),
    ):
        assert message in run(revision, name).text
    repository.commit({"../evil.parquet": b"x"}, "evil")
    assert "whose path leads out of it" in run().text
    assert {path.name for path in tmp_path.iterdir()} == {"hub"}


# The Hub states git's checksum of the first, and the SHA-256 of the second.
@pytest.mark.parametrize("file", ["net.pth", "net.safetensors"])
def test_a_damaged_download_is_repeated_and_then_refused(server, client, file):
    repository = server.add(f"org/damage{file[3:6]}", {file: b"weights", "config.json": b"{}"})
    code = CODE.format(f"hf://{repository.name}/{file}")
    for name, request in (("config.json", "GET .*config"), (file, f"GET (/storage/|.*/{file}$)")):
        server.reset()
        server.plan(request, *[flip] * 2)
        answer = client.run(code)
        assert f"two downloads of {name} do not match the checksum" in answer.text, answer.err
        place = client.run(CACHED.format(repository.name, name))
        assert place.value == [False, []], "the file stays in the cache"
    server.plan("GET ", flip)
    assert client.run(code).value[0] == b"weights".hex()[:8], "the second download is good"


def test_a_damaged_file_of_the_cache_is_replaced(server, client):
    files = {"net.pth": b"weights", "config.json": b"{}"}
    repository = server.add("org/changed", files)
    name = f"hf://{repository.name}/net.pth@{repository.head.oid}"
    client.run(CODE.format(name))
    for file in files:
        spoil = f"p = path.parent / {file!r}; p.write_bytes(p.read_bytes()[:-1] + b'?')"
        client.run(CODE.format(name) + spoil)
        code = CODE.format(name) + f"value += [(path.parent / {file!r}).read_bytes().decode()]"
        answer = client.run(code)
        assert answer.value[-1] == files[file].decode(), answer.err


CACHED = """
from pathlib import Path
from huggingface_hub import constants, try_to_load_from_cache
place = try_to_load_from_cache({0!r}, {1!r})
blobs = Path(constants.HF_HUB_CACHE, "models--" + {0!r}.replace("/", "--"), "blobs")
wrong = [b.name for b in blobs.iterdir() if b.read_bytes() not in (b"weights", b"{{}}")]
value = [isinstance(place, str), wrong]
"""


def test_damaged_files_of_a_dataset_are_refused(server, client, tmp_path):
    server.reset()
    server.add("datasets/org/damage", {"a.parquet": b"values"})
    code = DATASET.format(cache=str(tmp_path), name="org/damage", revision="")
    server.plan("GET .*a.parquet", *[flip] * 2)
    assert "two downloads of a.parquet do not match" in client.run(code).text
    assert client.run(code).value[-1] == ["values"]


def test_the_checksum_of_a_mirror(tmp_path):
    from ganzoo.hub.client import is_intact

    for name in (hashlib.sha1(b"text").hexdigest(), git_hash(b"text"), "an-etag", "0" * 32):
        (tmp_path / name).write_bytes(b"text")
        assert is_intact(tmp_path / name)
    (tmp_path / ("0" * 40)).write_bytes(b"text")
    assert not is_intact(tmp_path / ("0" * 40))
