"""Loading from the Hub by its real client, from a server on loopback that misbehaves on demand."""

import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest

import ganzoo
from ganzoo.errors import NameSyntaxError
from ganzoo.hub.failures import describe_rate_limit
from helpers import hub_server
from helpers.distributions import install
from helpers.hub_client import IMPATIENT, HubClient, environment
from helpers.hub_server import TOKEN
from helpers.processes import run_cli, run_new, run_python, start_python

pytestmark = pytest.mark.enable_socket

COMMIT = "0123456789abcdef" * 2 + "01234567"
LOAD = "import sys, ganzoo; print(ganzoo.load(sys.argv[1], runtime='onnx').spec.name)"


@pytest.fixture(scope="module")
def clients(server, tmp_path_factory):
    """Clients without a token, with a token, and with an expired token."""
    folder = tmp_path_factory.mktemp("clients")
    clients_by_name = {
        "nobody": HubClient(server.endpoint, folder / "nobody"),
        "member": HubClient(server.endpoint, folder / "member", HF_TOKEN=TOKEN),
        "expired": HubClient(server.endpoint, folder / "expired", HF_TOKEN="hf_expired"),
    }
    for client in clients_by_name.values():
        client.run(IMPATIENT)
    yield clients_by_name
    for client in clients_by_name.values():
        client.stop()
        assert TOKEN not in client.output
        assert hub_server.SIGNATURE not in client.output
        assert "hf_expired" not in client.output


@pytest.fixture
def client(clients):
    return clients["nobody"]


@pytest.fixture
def files(tiny_bundle):
    paths = (p for p in tiny_bundle.rglob("*") if p.is_file())
    return {p.relative_to(tiny_bundle).as_posix(): p.read_bytes() for p in paths}


@pytest.fixture
def repository(server, files, request):
    """A separate repository for the test."""
    server.reset()
    name = hashlib.sha256(request.node.name.encode()).hexdigest()[:12]
    return server.add(f"org/{name}", files)


@pytest.fixture(scope="module")
def images(tiny_bundle):
    """The digest that `HubClient.load` returns."""
    images = ganzoo.load(tiny_bundle, runtime="onnx").sample(2, seed=0)
    return hashlib.sha256(images.numpy().tobytes()).hexdigest()


def downloaded(server):
    """Return the names of sent files in order, one per request."""
    names = {}
    for repository in server.repositories.values():
        for commit in repository.commits:
            for path, content in commit.files.items():
                names[hashlib.sha256(content).hexdigest()] = path
    labels = []
    for request in server.requests:
        method, path = request.split(" ", 1)
        if method == "GET" and "/storage/" in path:
            labels.append(names[path.split("/")[-1].partition("?")[0]])
        elif method == "GET" and not path.endswith((".onnx", ".safetensors")):
            labels.append(path.rpartition("/")[2])
    return labels


def in_cache(home):
    return sorted(p.name for p in home.glob("hub/models--*/snapshots/*/*"))


def run_load(server, home, name, code=LOAD, **variables):
    env = environment(variables.pop("endpoint", server.endpoint), home, **variables)
    return run_python(code, str(name), env=env)


# Downloads.


def test_only_what_the_runtime_needs_is_downloaded(server, repository, client, images):
    name = f"hf://{repository.name}"
    answer = client.run(f"import ganzoo; value = ganzoo.info({name!r}).name")
    assert answer.value == "tiny"
    assert downloaded(server) == ["config.json", "SHA256SUMS"]
    server.reset()
    assert client.load(name).value == images
    assert downloaded(server) == ["model.onnx"]
    server.reset()
    answer = client.load(name, runtime="torch")
    assert answer.error is None, answer.err
    assert downloaded(server) == ["model.safetensors"]
    assert any(a.startswith("ganzoo/") for a in server.agents), "the Hub is told who asks"


def test_torch_alone_does_not_download_the_onnx(server, repository, tmp_path):
    code = LOAD.replace("'onnx'", "'torch'")
    result = run_load(server, tmp_path, f"hf://{repository.name}", code)
    assert result.stdout == "tiny\n", result.stderr
    assert downloaded(server) == ["config.json", "SHA256SUMS", "model.safetensors"]


def test_a_missing_plugin_is_named_with_the_files_on_the_hub(server, repository, tmp_path):
    code = LOAD.replace("'onnx'", "'torch'")
    env = {"GANZOO_PLUGINS": "", "HF_HUB_ETAG_TIMEOUT": "10"}
    files = repository.head.files
    config = files["config.json"].replace(b'"dcgan"', b'"sagan"')
    config = config.replace(b'"torch-ganzoo', b'"acme-gans')
    old, new = (hashlib.sha256(c).hexdigest().encode() for c in (files["config.json"], config))
    sums = files["SHA256SUMS"].replace(old, new)
    weights = files["model.safetensors"]
    size = int.from_bytes(weights[:8], "little")
    header = json.loads(weights[8 : 8 + size])
    header["__metadata__"]["ganzoo.config"] = config.decode()
    text = json.dumps(header).encode()
    other = len(text).to_bytes(8, "little") + text + weights[8 + size :]
    old, new = (hashlib.sha256(c).hexdigest().encode() for c in (weights, other))
    changed = {"config.json": config, "model.safetensors": other, "SHA256SUMS": sums}
    changed["SHA256SUMS"] = sums.replace(old, new)
    repository.commit(files | changed)
    result = run_load(server, tmp_path, f"hf://{repository.name}", code, **env)
    assert "pip install 'acme-gans" in result.stderr
    assert "runtime='onnx'" in result.stderr
    assert "model.onnx" not in downloaded(server)


def test_a_commit_in_the_cache_makes_no_request(server, repository, client, images):
    name = f"hf://{repository.name}@{repository.head.oid}"
    first = client.load(name)
    assert (first.value, first.err) == (images, ""), "and a commit is not said to move"
    server.reset()
    assert client.load(name).value == images
    assert server.requests == []


def test_a_branch_is_updated_and_a_commit_is_fixed(server, repository, client, files, images):
    name, old = f"hf://{repository.name}", repository.head.oid
    answer = client.load(name)
    assert answer.err.count("follows 'main', which points to commit") == 1
    assert f"hf://{repository.name}@{old}" in answer.err
    config = files["config.json"].replace(b'"name": "tiny"', b'"name": "newer"')
    sums = files["SHA256SUMS"].replace(
        hashlib.sha256(files["config.json"]).hexdigest().encode(),
        hashlib.sha256(config).hexdigest().encode(),
    )
    new = repository.commit(files | {"config.json": config, "SHA256SUMS": sums}, "newer")
    code = "import ganzoo; value = ganzoo.info({!r}).name"
    answer = client.run(code.format(name))
    assert answer.value == "newer"
    assert new in answer.err
    assert client.run(code.format(f"{name}@{old}")).value == "tiny"
    # The commit of the branch is stored, for use without a network.
    code = "import sys, ganzoo; print(ganzoo.info(sys.argv[1]).name)"
    offline = run_load(server, client.home, name, code, HF_HUB_OFFLINE="1")
    assert offline.stdout == "newer\n"
    assert f"commit {new} when the Hub, now unreachable, last answered" in offline.stderr


def test_all_files_belong_to_the_resolved_commit(server, repository, client, files):
    """A push between two requests must not mix two models."""
    name, old = f"hf://{repository.name}", repository.head.oid

    def pushed(handler):
        repository.commit({"config.json": b"{}", "SHA256SUMS": b"", "model.onnx": b"x"}, "later")
        return False

    server.plan("HEAD .*SHA256SUMS", pushed)
    answer = client.load(name)
    assert answer.error is None, answer.err
    assert repository.head.oid != old
    assert old in answer.err


def test_a_token_is_sent_only_where_it_is_needed(server, repository, clients, images):
    name = f"hf://{repository.name}"
    for who in ("member", "expired"):
        assert clients[who].load(name).value == images
    assert not any(server.authorized)


def test_a_private_model_needs_a_token(server, files, clients, images, repository):
    repository.private = True
    name = f"hf://{repository.name}"
    answer = clients["nobody"].load(name)
    assert "HubError" in answer.error
    assert "no public repository has this name. Check it; to read a private one, log" in answer.text
    assert "does not accept your token" in clients["expired"].load(name).text
    assert clients["member"].load(name).value == images


# Temporary failures.


@pytest.mark.parametrize(
    ("request_", "faults"),
    [
        ("HEAD .*/main/", [hub_server.reset] * 3),
        ("HEAD .*/main/", [hub_server.status(500), hub_server.status(503)]),
        ("HEAD .*/main/", [hub_server.status(429, Retry_After="1")]),
        ("HEAD .*/main/", [hub_server.late(0.3)]),
        ("GET .*SHA256SUMS", [hub_server.status(500), hub_server.status(503)]),
        ("GET .*SHA256SUMS", [hub_server.reset]),
        ("GET /storage/", [hub_server.cut(1000)]),
        ("GET /storage/", [hub_server.cut(0), hub_server.cut(5000)]),
        ("GET /storage/", [hub_server.late(0.3)]),
    ],
)
def test_temporary_failures_are_retried_in_a_load(
    server, repository, client, images, request_, faults
):
    server.plan(request_, *faults)
    assert client.load(f"hf://{repository.name}").value == images
    assert server.faults == [], "it did happen"


def test_permanent_failures_load_from_the_cache(server, repository, client, images):
    name = f"hf://{repository.name}"
    server.plan("HEAD", *[hub_server.status(503)] * 4)
    answer = client.load(name)
    assert "HubError" in answer.error
    assert "the Hub failed (503: planned 503). Try again later." in answer.text
    assert client.load(name).value == images
    err = ""
    for fault in (hub_server.reset, hub_server.status(502), hub_server.portal):
        server.reset()
        server.plan("HEAD", *[fault] * 4)
        answer = client.load(name)
        assert answer.value == images
        err += answer.err
    assert err.count("when the Hub, now unreachable, last answered") == 1


def test_a_long_retry_after_is_not_waited_for(server, repository, client):
    server.plan("HEAD", hub_server.status(429, Retry_After="3000"))
    answer = client.load(f"hf://{repository.name}")
    assert "too many requests to the Hub (429). Try again in 3000 seconds" in answer.text
    assert "hf auth login" in answer.text
    server.plan("HEAD .*SHA256SUMS", hub_server.status(429, RateLimit='"api";r=0;t=271'))
    assert "in 271 seconds" in client.load(f"hf://{repository.name}").text
    for headers in ({"retry-after": "9" * 400}, {"ratelimit": f"r=0;t={'9' * 400}"}):
        assert "Try again in a few minutes." in describe_rate_limit(headers)


def test_logged_in_users_have_a_higher_rate_limit(server, repository, clients, images):
    server.plan("HEAD", hub_server.status(429, Retry_After="3000"))
    assert clients["member"].load(f"hf://{repository.name}").value == images
    assert server.authorized[:2] == [False, True]


# Damage.


@pytest.mark.parametrize("request_", ["GET /storage/", "GET .*config", "GET .*SHA256SUMS"])
@pytest.mark.parametrize("fault", [hub_server.flip, hub_server.flip_to_binary])
def test_a_damaged_download_is_repeated(server, repository, client, images, request_, fault):
    server.plan(request_, fault)
    assert client.load(f"hf://{repository.name}@{repository.head.oid}").value == images
    assert server.faults == []


def test_permanent_damage_is_an_error(server, repository, client, images):
    name = f"hf://{repository.name}@{repository.head.oid}"
    server.plan("GET /storage/", *[hub_server.flip] * 2)
    answer = client.load(name)
    assert "BundleError" in answer.error
    assert "model.onnx does not match its checksum in SHA256SUMS" in answer.text
    assert len([n for n in downloaded(server) if n == "model.onnx"]) == 2
    # Offline, the damaged file of the cache is not loaded either; online, it is replaced.
    offline = run_load(server, client.home, name, HF_HUB_OFFLINE="1")
    assert "does not match its checksum" in offline.stderr
    assert client.load(name).value == images


def test_a_changed_file_of_the_cache_is_replaced(server, repository, client, images):
    name = f"hf://{repository.name}@{repository.head.oid}"
    client.load(name)
    folder = client.home / "hub" / f"models--{repository.name.replace('/', '--')}"
    (file,) = folder.glob("snapshots/*/model.onnx")
    content = bytearray(file.read_bytes())
    content[100] ^= 1
    file.resolve().write_bytes(content)
    server.reset()
    assert client.load(name).value == images
    assert sorted(downloaded(server)) == ["SHA256SUMS", "model.onnx"]


def test_a_file_without_checksum_is_not_loaded(server, repository, client, files):
    lines = files["SHA256SUMS"].decode().splitlines(keepends=True)
    sums = "".join(line for line in lines if "model.onnx" not in line).encode()
    repository.commit(files | {"SHA256SUMS": sums})
    answer = client.load(f"hf://{repository.name}")
    assert "BundleError" in answer.error
    assert "SHA256SUMS does not list model.onnx" in answer.text
    assert "model.onnx" not in downloaded(server)
    answer = client.load(f"hf://{repository.name}", role="encoder")
    assert "has no role 'encoder'" in answer.text


def test_unlisted_files_are_not_requested_again(server, repository, client, files):
    lines = files["SHA256SUMS"].decode().splitlines(keepends=True)
    sums = "".join(line for line in lines if "README" not in line).encode()
    repository.commit(files | {"SHA256SUMS": sums})
    name = f"hf://{repository.name}@{repository.head.oid}"
    card = f"ganzoo.demo.cards.card({name!r}, ganzoo.zoo.find({name!r}))"
    answer = client.run(f"import ganzoo.demo.cards, ganzoo.zoo; value = {card}")
    assert answer.error is None, answer.err
    assert answer.value.startswith("<h1>tiny</h1>\n")
    assert name in answer.value
    assert "nonsaturating" in answer.value
    assert answer.value.count("<img ") == answer.value.count('src="data:image/png;base64,') > 0
    server.reset()
    assert client.run(f"import ganzoo.demo.cards, ganzoo.zoo; value = {card}").value == answer.value
    code = f"import ganzoo.zoo; ganzoo.zoo.find({name!r}).file('README.md')"
    assert "SHA256SUMS does not list README.md" in client.run(code).text
    assert server.requests == []


def test_an_etag_with_parent_folders_stays_in_the_cache(server, repository, client):
    name = f"hf://{repository.name}@{repository.head.oid}"
    before = set(client.home.parent.rglob("*"))
    for file in ("SHA256SUMS", "config", "onnx"):
        for etag in ("../../../../escaped", "/tmp/escaped", "..", "a/../../../b"):
            # Also if only the client's own request, the second one, gets this answer.
            for honest in ([], [hub_server.late(0)]):
                server.plan(f"HEAD .*{file}", *honest, hub_server.with_etag(etag))
                answer = client.load(name)
                assert "HubError" in answer.error
                assert f"an unsafe ETag, {etag!r}: as a file name it points outside" in answer.text
    after = {p for p in client.home.parent.rglob("*") if p.is_file()} - before
    assert all(p.is_relative_to(client.home / "hub") for p in after)
    assert not Path("/tmp/escaped").exists()


@pytest.mark.parametrize("commit", ["../../../../escaped", "/tmp/escaped", "..", "a" * 39])
def test_a_commit_with_parent_folders_stays_in_the_cache(server, repository, client, commit):
    before = set(client.home.parent.rglob("*"))
    for honest in ([], [hub_server.late(0)]):  # the second request is the client's own
        for file in ("config", "absent"):
            if file == "absent":
                repository.commit({"README.md": b""})
            server.plan("HEAD .*config", *honest, hub_server.of_commit(commit))
            answer = client.load(f"hf://{repository.name}")
            assert "HubError" in answer.error
            if file == "config" or not honest:
                assert f"an invalid commit hash, {commit!r}. Nothing was written" in answer.text
            server.faults.clear()
            repository.branches["main"] = repository.commits[1].oid
    after = {p for p in client.home.parent.rglob("*") if p.is_file()} - before
    assert all(p.is_relative_to(client.home / "hub") for p in after)
    assert not [p for p in after if "escaped" in str(p)]
    assert not Path("/tmp/escaped").exists()


def test_a_renewed_session_is_observed_too(server, repository, client):
    """The client renews its session after a failed connection."""
    server.plan("HEAD .*config", hub_server.with_etag("../../../../escaped"))
    answer = client.run(
        "from huggingface_hub import close_session, get_session\n"
        "from ganzoo.hub.client import connect\n"
        "with connect() as connection:\n"
        "    close_session()\n"
        f"    connection.api.hf_hub_download({repository.name!r}, 'config.json')\n"
    )
    assert "HubError" in answer.error
    assert "points outside the cache" in answer.text
    answer = client.run(
        "from huggingface_hub import get_session\n"
        "from ganzoo.hub import client\n"
        "session = get_session()\n"
        "hooks = sum(session.event_hooks.values(), [])\n"
        "ours = [hook for hook in hooks if hook.__module__.startswith('ganzoo')]\n"
        "value = [len(ours), 'send' in vars(session)]\n"
    )
    assert answer.value == [0, False], "and given back as it was"


def test_an_invalid_branch_of_the_cache_is_ignored(server, repository, client, files):
    """A shared cache is untrusted."""
    name = f"hf://{repository.name}"
    client.load(name)
    folder = client.home / "hub" / f"models--{repository.name.replace('/', '--')}"
    shutil.copytree(next(folder.glob("snapshots/*")), folder / "snapshots" / "evil")
    (folder / "refs" / "main").write_text("evil")
    offline = run_load(server, client.home, name, HF_HUB_OFFLINE="1")
    assert "config.json is not in the cache" in offline.stderr
    assert "evil" not in offline.stderr


@pytest.mark.parametrize(("file", "size"), [("config.json", 2**21 + 1), ("SHA256SUMS", 2**18 + 1)])
def test_oversized_files_are_not_downloaded(server, repository, client, file, size):
    repository.commit(repository.head.files | {file: b" " * size})
    answer = client.load(f"hf://{repository.name}@{repository.head.oid}")
    assert "HubError" in answer.error
    assert f"{file} has {size:,} bytes" in answer.text
    assert file not in downloaded(server)


def test_a_link_out_of_the_cache_is_not_followed(server, repository, client, tmp_path):
    name = f"hf://{repository.name}@{repository.head.oid}"
    client.load(name)
    folder = client.home / "hub" / f"models--{repository.name.replace('/', '--')}"
    (file,) = folder.glob("snapshots/*/model.onnx")
    shutil.copyfile(file, tmp_path / "elsewhere")
    file.unlink()
    file.symlink_to(tmp_path / "elsewhere")
    answer = client.load(name)
    assert "HubError" in answer.error
    assert f"a link to a file outside the cache, {tmp_path / 'elsewhere'}" in answer.text


# Missing and private repositories.


@pytest.mark.parametrize(
    ("change", "suffix", "message"),
    [
        (lambda r: setattr(r, "gated", True), "", "access to the repository needs its owner's"),
        (lambda r: setattr(r, "disabled", True), "", "is disabled on the Hub"),
        (lambda r: None, "@v9", "no such branch, tag or commit. Leave out @REVISION"),
        (lambda r: None, f"@{COMMIT}", "no such branch, tag or commit"),
        (lambda r: None, "-absent", "no public repository has this name"),
        (lambda r: None, "--x", "Cannot have -- or .."),
        (lambda r: r.commit({"README.md": b""}), "", "has no config.json, so it is not a ganzoo"),
        (lambda r: r.commit({"config.json": b""}), "", "has no SHA256SUMS, so it is not a ganzoo"),
    ],
)
def test_each_refusal_names_the_remedy(server, repository, client, change, suffix, message):
    change(repository)
    answer = client.load(f"hf://{repository.name}{suffix}")
    assert "HubError" in answer.error, answer.err
    assert f"hf://{repository.name}{suffix}: " in answer.text
    assert message in answer.text


def test_refusals_of_logged_in_users_name_the_remedy(server, repository, clients):
    name = f"hf://{repository.name}"
    assert "or your token cannot read it" in clients["member"].load(f"{name}-absent").text
    repository.gated = True
    assert "Request access on its page" in clients["member"].load(name).text
    repository.gated = False
    server.plan("HEAD", hub_server.status(403), hub_server.status(403))
    answer = clients["member"].load(name)
    assert "your token has no read access (403: planned 403)" in answer.text
    server.plan("HEAD", hub_server.status(451))
    assert "the Hub rejected the request (451: planned" in clients["member"].load(name).text


def test_a_signed_address_is_not_shown(server, repository, client):
    server.plan("GET /storage/", hub_server.status(403))
    answer = client.load(f"hf://{repository.name}")
    assert "is not public (403: planned 403). Log in: hf auth login" in answer.text
    assert hub_server.SIGNATURE not in answer.err


def test_a_token_in_a_server_message_is_not_shown(server, repository, clients, tmp_path):
    server.plan("HEAD", hub_server.status(403), hub_server.echo)
    answer = clients["member"].load(f"hf://{repository.name}")
    assert "your token has no read access (403: not with Authorization: ..." in answer.text
    # The client itself quotes a token that no header can contain.
    repository.private = True
    secret = "hf_sec\x7fret"
    result = run_load(server, tmp_path, f"hf://{repository.name}", HF_TOKEN=secret)
    assert "HubError" in result.stderr
    assert "sec" not in result.stderr.split("HubError")[-1]


def test_a_captive_portal_is_an_error(server, repository, client):
    server.plan("HEAD", hub_server.portal)
    answer = client.load(f"hf://{repository.name}")
    assert "does not answer like the Hub" in answer.text


@pytest.mark.parametrize(
    "revision",
    ["../../escaped", "/tmp/escaped", "a/../b", "a//b", "a/", "./a", "-a", ".git", "a/.b", "a..b"],
)
def test_a_revision_with_a_path_is_refused(server, repository, client, revision):
    repository.tags[revision] = repository.head.oid
    answer = client.load(f"hf://{repository.name}@{revision}")
    assert "NameSyntaxError" in answer.error
    assert f"{revision!r} is not a valid branch or tag" in answer.text
    assert server.requests == []


def test_a_misspelt_argument_is_an_error(client):
    answer = client.run("import ganzoo; ganzoo.load('hf://org/x', revison='v1')")
    assert "TypeError" in answer.error


# Without a network.


def test_offline_names_missing_files_and_the_remedy(server, repository, tmp_path):
    name = f"hf://{repository.name}"
    result = run_load(server, tmp_path, name, HF_HUB_OFFLINE="1")
    assert f"config.json is not in the cache, {tmp_path / 'hub'}, and HF_HUB_OFF" in result.stderr
    assert "Unset it, or set HF_HOME" in result.stderr
    # A port without a server.
    result = run_load(server, tmp_path, name, endpoint="http://127.0.0.1:9")
    assert "http://127.0.0.1:9 cannot be reached (ConnectError)" in result.stderr
    assert f"config.json is not in the cache, {tmp_path / 'hub'}" in result.stderr
    assert server.requests == []
    # Files of the cache load, and missing files are named.
    env = environment(server.endpoint, tmp_path, HF_HUB_OFFLINE="1")
    assert run_load(server, tmp_path, name).returncode == 0
    out = tmp_path / "x.png"
    sample = run_cli("sample", name, "--runtime", "onnx", "-n", "1", "-o", out, env=env)
    assert sample.returncode == 0, sample.stderr
    assert out.is_file()
    assert sample.stderr.count("warning: ") == 1
    code = "import sys; from ganzoo import zoo; zoo.find(sys.argv[1]).weights_of('generator')"
    result = run_load(server, tmp_path, name, code, HF_HUB_OFFLINE="1")
    assert "model.safetensors is not in the cache" in result.stderr


def test_an_unreachable_hub_is_an_error(server, tmp_path):
    """Name resolution hangs too: the client has no timeout for it."""
    code = (
        "import socket, threading\n"
        "def wait(*a, **k):\n"
        "    threading.Event().wait(20)\n"
        "    raise socket.gaierror('no such name')\n"
        "socket.getaddrinfo = wait\n" + LOAD
    )
    result = run_load(server, tmp_path, "hf://org/x", code, endpoint="https://hub.invalid")
    assert "https://hub.invalid cannot be reached (TimeoutError)" in result.stderr
    assert f"config.json is not in the cache, {tmp_path / 'hub'}" in result.stderr


def test_an_endpoint_without_https_warns(server, repository, tmp_path):
    other = f"http://0.0.0.0:{server.port}"  # also this machine, but not by its loopback name
    result = run_load(server, tmp_path, f"hf://{repository.name}", endpoint=other)
    assert result.returncode == 0, result.stderr
    assert result.stderr.count("which does not use https. Others on the network can read") == 1


# Many at once, and in the middle.


def test_two_processes_download_one_model_at_once(server, repository, tmp_path):
    server.plan("GET /storage/", hub_server.late(0.3), hub_server.late(0.3))
    env = environment(server.endpoint, tmp_path)
    processes = [start_python(LOAD, f"hf://{repository.name}", env=env) for _ in range(2)]
    assert [process.communicate()[0] for process in processes] == ["tiny\n"] * 2
    assert in_cache(tmp_path) == ["SHA256SUMS", "config.json", "model.onnx"]


def test_an_interrupted_download_continues(server, repository, tmp_path):
    """The client downloads chunks of 10 MiB, here of 1,000 bytes."""
    server.plan("GET /storage/", hub_server.closed(4500), hub_server.closed(2500))
    parts = "from huggingface_hub import constants; constants.DOWNLOAD_CHUNK_SIZE = 1000\n"
    result = run_load(server, tmp_path, f"hf://{repository.name}", parts + LOAD)
    assert result.stdout == "tiny\n", result.stderr
    assert server.ranges == ["bytes=4000-", "bytes=6000-"]
    assert server.faults == [], "it did happen"


def test_a_killed_download_continues(server, repository, tmp_path, images):
    name = f"hf://{repository.name}@{repository.head.oid}"
    server.plan("GET /storage/", hub_server.hang_after(1000))
    env = environment(server.endpoint, tmp_path)
    process = start_python(LOAD, name, env=env)
    assert server.waiting.wait(60)
    process.kill()
    process.wait()
    server.released.set()
    assert in_cache(tmp_path) == ["SHA256SUMS", "config.json"], "nothing half-written has a name"
    assert run_load(server, tmp_path, name, HF_HUB_OFFLINE="1").returncode == 1
    assert run_load(server, tmp_path, name).stdout == "tiny\n"


def test_a_full_disk_is_an_error(server, repository, tmp_path):
    """Files are limited to 8,000 bytes: less than the model, more than the other files."""
    name = f"hf://{repository.name}@{repository.head.oid}"
    assert len(repository.head.files["model.onnx"]) > 8000

    limit = (
        "import resource, signal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (8000, 8000))\n"
    )
    result = run_load(server, tmp_path, name, limit + LOAD)
    assert "HubError" in result.stderr
    assert f"no space is left in {tmp_path / 'hub'}. Free some, or set HF_HOME" in result.stderr
    assert run_load(server, tmp_path, name).stdout == "tiny\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_an_unwritable_cache_is_an_error(server, repository, tmp_path):
    (tmp_path / "hub").mkdir(mode=0o500)
    result = run_load(server, tmp_path, f"hf://{repository.name}")
    assert "cannot be written. Set HF_HOME" in result.stderr


# Models that a plugin registers without shipping them.


def register(folder, repository, **changes):
    sums = repository.head.files["SHA256SUMS"]
    fields = {
        "repository": repository.name,
        "commit": repository.head.oid,
        "size": sum(map(len, repository.head.files.values())),
        "sha256": hashlib.sha256(sums).hexdigest(),
    } | changes
    arguments = ", ".join(f"{key}={value!r}" for key, value in fields.items())
    code = f"import ganzoo\nmodel = ganzoo.HubModel({arguments})\n"
    install(folder, "acme-models", {"models": {"acme": "acme_models:model"}}, acme_models=code)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, None),
        ({"sha256": "0" * 64}, "SHA256SUMS differs from the one registered with the model"),
        ({"size": 1000}, "size of the whole model is 1,000. It is not downloaded."),
        ({"commit": "main"}, "Write org/repo and the 40 hex digits of the commit"),
    ],
)
def test_a_plugin_registers_a_model_of_the_hub(server, repository, tmp_path, changes, message):
    register(tmp_path / "site", repository, **changes)
    path = os.pathsep.join([str(tmp_path / "site"), os.environ.get("PYTHONPATH", "")])
    result = run_load(server, tmp_path, "acme", PYTHONPATH=path)
    if message:
        assert message in result.stderr
        assert "model.onnx" not in downloaded(server)
        return
    assert result.stdout == "tiny\n", result.stderr
    assert result.stderr == "", "what is pinned does not move"
    server.reset()
    assert run_load(server, tmp_path, "acme", PYTHONPATH=path).stdout == "tiny\n"
    assert server.requests == []


def test_a_location_on_the_hub_is_validated():
    good = {"repository": "org/name", "commit": COMMIT, "size": 1, "sha256": "0" * 64}
    assert str(ganzoo.HubModel(**good)) == f"hf://org/name@{COMMIT}"
    for wrong in (
        {"repository": "name"},
        {"repository": "https://x/org/name"},
        {"commit": COMMIT.upper()},
        {"commit": COMMIT[:7]},
        {"size": 0},
        {"size": True},
        {"sha256": "0" * 63},
    ):
        with pytest.raises(NameSyntaxError):
            ganzoo.HubModel(**good | wrong)


def test_shipped_models_do_not_import_the_hub_client():
    code = """
import sys, ganzoo
ganzoo.load("gan-mnist", runtime="onnx").sample(1)
assert not {"huggingface_hub", "httpx", "httpx2"} & set(sys.modules)
"""
    result = run_new("-c", code)
    assert result.returncode == 0, result.stderr
