"""Pushing by the Hub's real client to a server on loopback that misbehaves on demand."""

import hashlib
import re
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ganzoo
from ganzoo.bundle import open_bundle, read_checksums
from ganzoo.cli import main
from ganzoo.errors import BundleError, NameSyntaxError, NotABundleError, PublishError
from ganzoo.hub.card import LICENCES, check_card, sign_card, was_edited
from ganzoo.registry import models
from helpers import hub_server
from helpers.bundles import change_config, finish_card, rehash
from helpers.hub_client import IMPATIENT, SELECTIVE, HubClient, environment
from helpers.hub_server import TOKEN
from helpers.processes import run_cli, start_cli

pytestmark = pytest.mark.enable_socket

PUSHED = [
    "README.md",
    "SHA256SUMS",
    "config.json",
    "curves.png",
    "interpolation.png",
    "model.onnx",
    "model.safetensors",
    "samples.png",
    "training/log.jsonl",
    "training/recipe.toml",
]
SHIPPED = [e.name for e in models.entries() if e.distribution == "torch-ganzoo"]


@pytest.fixture(scope="module")
def finished_bundle(tiny_bundle, tmp_path_factory):
    """An exported bundle with a finished card."""
    path = shutil.copytree(tiny_bundle, tmp_path_factory.mktemp("finished") / "tiny")
    finish_card(path)
    return path


@pytest.fixture
def bundle(finished_bundle, tmp_path):
    return shutil.copytree(finished_bundle, tmp_path / "bundle")


@pytest.fixture(scope="module")
def clients(server, tmp_path_factory):
    """Clients with a token, without one, and with an expired token."""
    folder = tmp_path_factory.mktemp("clients")
    clients_by_name = {
        "member": HubClient(server.endpoint, folder / "member", HF_TOKEN=TOKEN),
        "nobody": HubClient(server.endpoint, folder / "nobody"),
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
    return clients["member"]


@pytest.fixture
def name(server, request):
    """The name of a separate repository, which does not exist yet."""
    server.reset()
    server.storage.clear()
    return "org/" + hashlib.sha256(request.node.name.encode()).hexdigest()[:12]


def commits(server, name):
    return [commit.title for commit in server.repositories[name].commits]


def edit(server, name, text):
    """Edit the card as its owner does on the Hub's page."""
    repository = server.repositories[name]
    return repository.commit(repository.head.files | {"README.md": text.encode()}, "Update README")


def assert_refused(answer, message, error="HubError"):
    assert answer.error, answer.value
    assert error in answer.error, answer.err
    assert message in answer.text


# Uploads.


def test_one_commit_holds_the_bundle_and_nothing_else(server, client, name, bundle, tmp_path):
    (bundle / "notes.txt").write_text("private")
    (bundle / "private.png").write_bytes(b"not listed")
    (bundle / ".env").write_text("SECRET=1")
    answer = client.push(bundle, name, tag="v1")
    commit, changed, card_kept, sums = answer.value
    assert changed == [".gitattributes", *PUSHED]
    assert not card_kept
    repository = server.repositories[name]
    assert commits(server, name) == ["initial commit", "Push with ganzoo"]
    assert sorted(repository.head.files) == [".gitattributes", *PUSHED]
    assert repository.tags == {"v1": commit} == {"v1": repository.head.oid}
    assert not repository.private
    for path in set(PUSHED) - {"README.md", "SHA256SUMS"}:
        assert repository.head.files[path] == (bundle / path).read_bytes()
    assert hashlib.sha256(repository.head.files["SHA256SUMS"]).hexdigest() == sums
    assert f'ganzoo.load("hf://{name}")' in repository.head.files["README.md"].decode()
    # The repository is a valid bundle, by name and as a clone.
    images = ganzoo.load(bundle, runtime="onnx").sample(2, seed=0)
    digest = hashlib.sha256(images.numpy().tobytes()).hexdigest()
    assert client.load(f"hf://{name}@v1").value == digest
    for path, content in repository.head.files.items():
        (tmp_path / "clone" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "clone" / path).write_bytes(content)
    assert open_bundle(tmp_path / "clone").spec == open_bundle(bundle).spec


def test_the_attributes_of_a_repository_keep_line_endings(server, client, name, bundle):
    client.push(bundle, name)
    files = server.repositories[name].head.files
    assert files[".gitattributes"] == b"* -text\n*.onnx filter=lfs\n"
    assert client.push(bundle, name).value[1] == []
    repository = server.repositories[name]
    repository.commit({k: v for k, v in files.items() if k != ".gitattributes"})
    assert client.push(bundle, name).value[1] == [".gitattributes"]
    assert repository.head.files[".gitattributes"].decode().splitlines() == [
        "* -text",
        "*.onnx filter=lfs diff=lfs merge=lfs -text",
        "*.safetensors filter=lfs diff=lfs merge=lfs -text",
    ]


def test_a_dry_run_makes_no_requests(server, name, bundle, tmp_path):
    env = environment(server.endpoint, tmp_path, HF_TOKEN=TOKEN)
    result = run_cli("push", bundle, name, "--dry-run", "--tag", "v1", env=env)
    assert result.returncode == 0, result.stderr
    assert [line.split()[-1] for line in result.stdout.split("\n\n")[0].splitlines()[:-1]] == [
        *["config.json", "model.safetensors", "model.onnx"],
        *["curves.png", "interpolation.png", "samples.png"],
        *["training/recipe.toml", "training/log.jsonl", "SHA256SUMS", "README.md"],
    ]
    size = (bundle / "model.onnx").stat().st_size
    assert f"{size:,}  model.onnx" in result.stdout
    assert "## Results" in result.stdout
    assert server.requests == []
    assert name not in server.repositories


def test_a_dry_run_lists_the_files_before_what_the_card_lacks(bundle, capsys):
    card = (bundle / "README.md").read_text()
    unfinished = card.replace("license: cc-by-4.0\n", "").replace(
        "## Limits\n", "## Limits\n\nTODO\n"
    )
    (bundle / "README.md").write_text(unfinished)
    rehash(bundle)
    assert main(["push", str(bundle), "org/name", "--dry-run"]) == 1
    printed = capsys.readouterr()
    size = (bundle / "model.onnx").stat().st_size
    assert f"{size:,}  model.onnx" in printed.out
    assert "README.md" in printed.out
    assert "the licence in the card's header is missing" in printed.err
    assert re.search(r"`ganzoo card check .*` lists what else the card lacks", printed.err)
    assert main(["push", str(bundle), "org/name"]) == 1
    assert not capsys.readouterr().out, "a push lists nothing"


def test_the_command_reports_its_changes(server, name, bundle, tmp_path):
    env = environment(server.endpoint, tmp_path, HF_TOKEN=TOKEN)
    result = run_cli("push", bundle, name, env=env)
    assert result.returncode == 0, result.stderr
    head = server.repositories[name].head.oid
    assert result.stdout.startswith(f"hf://{name}@{head}: .gitattributes, README.md, SHA256SUMS")
    assert f"HubModel(repository='{name}', commit='{head}', size=" in result.stdout
    assert result.stderr == ""
    result = run_cli("list", "--hub", "org/*", env=env)
    assert f"hf://{name} " in result.stdout
    assert "2026-01-02  7 downloads" in result.stdout
    assert f"hf://{name}" not in run_cli("list", "other-*", "--hub", env=env).stdout
    result = run_cli("list", "--hub", env=env | {"HF_HUB_OFFLINE": "1"})
    assert result.returncode == 1
    assert "the Hub's models: HF_HUB_OFFLINE forbids requests to the Hub. Unset" in result.stderr
    result = run_cli("list", "--hub", env=env | {"HF_ENDPOINT": "http://127.0.0.1:9"})
    assert "http://127.0.0.1:9 cannot be reached (ConnectError). Connect" in result.stderr
    misspelt = run_cli("push", bundle, name, "--privat", env=env)
    assert misspelt.returncode == 2


def test_models_are_listed_without_a_token(server, clients, client, name):
    server.add(name, {"README.md": b"---\nlibrary_name: ganzoo\n---\n"})
    code = "from ganzoo.hub import search\nvalue = [model.repository for model in search()]"
    for who in ("member", "nobody", "expired"):
        assert name in clients[who].run(code).value
    assert not any(server.authorized)
    for status in (401, 403, 429):
        server.reset()
        server.plan("GET /api/models", hub_server.status(status, Retry_After="600"))
        assert name in client.run(code).value
        assert server.authorized[-2:] == [False, True]
    server.plan("GET /api/models", hub_server.status(401))
    assert_refused(clients["nobody"].run(code), "the Hub's models: ")
    server.plan("GET /api/models", hub_server.status(401))
    assert_refused(clients["expired"].run(code), "the Hub does not accept your token (401: Invalid")


def test_a_card_names_public_addresses_and_its_branch(server, client, name, bundle):
    """The endpoint of the user can be a mirror, or contain a password."""
    answer = client.run(
        "import ganzoo\n"
        "from ganzoo.hub.space import pack_space\n"
        "from ganzoo.registry.names import HubName\n"
        f"card = ganzoo.push({str(bundle)!r}, {name!r}, revision='half/way', dry_run=True).card\n"
        f"page = pack_space(HubName({name!r}), card)\n"
        "value = [card, page.card]"
    )
    card, page = answer.value
    public = f"https://huggingface.co/{name}"
    assert f"thumbnail: {public}/resolve/half%2Fway/samples.png\n" in card
    assert f'ganzoo.load("hf://{name}@half/way")' in card
    assert f"`hf download {name} model.onnx --revision half/way --local-dir .`" in card
    assert f"({public})" in page
    assert "127.0.0.1" not in card + page


@pytest.mark.parametrize("model", SHIPPED)
def test_every_shipped_model_can_be_pushed(model):
    done = ganzoo.push(models.get(model), f"org/{model}", dry_run=True)
    assert {"model.onnx", "model.safetensors", "samples.png"} <= done.sizes.keys()
    assert f'ganzoo.load("hf://org/{model}")' in done.card


# Refusals before the first request.


def set_parity(value):
    return lambda config: config["provenance"].__setitem__("parity", value)


@pytest.mark.parametrize(
    "change",
    [
        lambda config: config["provenance"].pop("parity"),
        set_parity({"max_abs_error": 0.1, "tolerance": 0.01}),
        set_parity({"max_abs_error": float("nan"), "tolerance": 0.01}),
        set_parity({"max_abs_error": 10**400, "tolerance": 0.01}),
        set_parity("passed"),
        lambda config: config["roles"].append("encoder"),
    ],
)
def test_a_bundle_without_parity_is_refused(bundle, change):
    change_config(bundle, change)
    shutil.copyfile(bundle / "model.safetensors", bundle / "encoder.safetensors")
    shutil.copyfile(bundle / "model.onnx", bundle / "encoder.onnx")
    rehash(bundle)
    with pytest.raises(PublishError, match=r"no passed comparison .*`ganzoo export .*` runs one"):
        ganzoo.push(bundle, "org/name", dry_run=True)


@pytest.mark.parametrize("file", ["model.onnx", "README.md"])
def test_a_bundle_without_a_file_is_refused(bundle, file):
    (bundle / file).unlink()
    rehash(bundle)
    with pytest.raises(PublishError, match=rf"has no {file}\. `ganzoo export"):
        ganzoo.push(bundle, "org/name", dry_run=True)


def test_a_damaged_or_missing_bundle_is_refused(bundle, tmp_path):
    with pytest.raises(NotABundleError):
        ganzoo.push(tmp_path / "absent", "org/name", dry_run=True)
    (bundle / "samples.png").write_bytes(b"x")
    with pytest.raises(BundleError, match=r"samples\.png does not match its checksum"):
        ganzoo.push(bundle, "org/name", dry_run=True)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("license: cc-by-4.0", "license: CC BY 4.0", r"'CC BY 4\.0' is not in the Hub's list"),
        ("license: cc-by-4.0\n", "", "is missing"),
        ("license: cc-by-4.0", "license: other", r"Add `license_name: NAME`"),
        ("license: cc-by-4.0", "license: [mit, mine]", "'mine' is not in the Hub's list"),
        ("license: cc-by-4.0", "license: {", "header is not valid YAML"),
        ("## Limits\n", "## Limits\n\n## More\n", "section 'Limits' is empty"),
        ("## Limits\n", "## Limits\n\n### Known\n\n<!-- nothing -->\n\n## More\n", "'Limits' is e"),
        ("## Limits\n", "## Limits\n\nTODO: say which.\n", "'Limits' still says 'TODO'"),
        ("## Limits\n", "## Limits\n\n[More Information Needed]\n", "'Limits' still says"),
        ("import ganzoo\n", "import ganzoo  # TODO\n", "'Use' still says 'TODO'"),
        ("# tiny\n", "TBD\n\n# tiny\n", r"'\(all\)' still says 'TBD'"),
    ],
)
def test_an_unfinished_card_is_refused(bundle, old, new, message):
    card = (bundle / "README.md").read_text()
    assert old in card
    (bundle / "README.md").write_text(card.replace(old, new))
    rehash(bundle)
    with pytest.raises(PublishError, match=message):
        ganzoo.push(bundle, "org/name", dry_run=True)


def test_a_binary_card_is_refused(bundle):
    (bundle / "README.md").write_bytes(b"---\nlicense: mit\n---\n# caf\xe9\n")
    rehash(bundle)
    with pytest.raises(
        PublishError, match=r"cannot read the card .*README\.md: .* Save it as UTF-8"
    ):
        ganzoo.push(bundle, "org/name", dry_run=True)


@pytest.mark.parametrize(
    "licence", ["{a: b}", "[[mit]]", "[mit, {a: b}]", "1", "[" * 2000 + "]" * 2000], ids=range(5)
)
def test_a_licence_of_another_type_is_one_line(licence):
    with pytest.raises(PublishError, match="licence|header") as error:
        check_card(f"---\nlicense: {licence}\n---\n# name\n")
    assert "\n" not in str(error.value)


def test_a_card_can_have_more_sections():
    head = "---\nlicense: {}\n---\n# name\n"
    for licence in ("mit", "[mit, apache-2.0]", "other\nlicense_name: mine"):
        check_card(head.format(licence) + "## A\n### B\nen todo\n```python\n## C\n```\n")
    with pytest.raises(PublishError, match=r"'\(all\)' is empty"):
        check_card("---\nlicense: mit\n---\n\n<!-- nothing -->\n")
    assert {"mit", "apache-2.0", "cc-by-sa-3.0", "cc-by-4.0", "other"} <= LICENCES


@pytest.mark.parametrize(
    ("repository", "how"),
    [
        ("name", {}),
        ("org/name@v1", {}),
        ("org/name/more", {}),
        ("https://hub/org/name", {}),
        ("org/name", {"revision": "a" * 40}),
        ("org/name", {"revision": "../main"}),
        ("org/name", {"revision": "a b"}),
        ("org/name", {"revision": ""}),
        ("org/name", {"tag": "a" * 40}),
        ("org/name", {"tag": "../v1"}),
        ("org/name", {"tag": "v1\n"}),
        ("org/name", {"tag": ""}),
    ],
)
def test_an_invalid_repository_name_is_refused(bundle, repository, how):
    with pytest.raises(NameSyntaxError):
        ganzoo.push(bundle, repository, dry_run=True, **how)


# A second time.


def test_pushing_again_uploads_only_changes(server, client, name, bundle):
    first = client.push(bundle, f"hf://{name}").value
    again = client.push(bundle, name)
    assert again.value == [first[0], [], False, first[3]]
    assert len(commits(server, name)) == 2
    (bundle / "manifold.png").write_bytes(b"a picture")
    with (bundle / "training" / "log.jsonl").open("a") as log:
        log.write("{}\n")
    rehash(bundle)
    second = client.push(bundle, name).value
    assert second[1] == ["README.md", "SHA256SUMS", "manifold.png", "training/log.jsonl"]
    # Files of an earlier push that this one does not write are removed.
    repository = server.repositories[name]
    repository.commit(repository.head.files | {"LICENSE": b"theirs"}, "by hand")
    (bundle / "manifold.png").unlink()
    rehash(bundle)
    assert client.push(bundle, name).value[1] == ["README.md", "SHA256SUMS", "manifold.png"]
    assert sorted(repository.head.files) == [".gitattributes", "LICENSE", *PUSHED]


def test_an_edited_card_on_the_hub_stays(server, client, name, bundle):
    client.push(bundle, name)
    first_card = server.repositories[name].head.files["README.md"].decode()
    edited = first_card.replace("## Limits", "Ask me anything.\n\n## Limits")
    edit(server, name, edited)
    card = (bundle / "README.md").read_text()
    (bundle / "README.md").write_text(card.replace("## Limits", "A new sentence.\n\n## Limits"))
    (bundle / "samples.png").write_bytes(b"other samples")
    rehash(bundle)
    answer = client.push(bundle, name)
    assert answer.value[1:3] == [["SHA256SUMS", "samples.png"], True]
    assert server.repositories[name].head.files["README.md"].decode() == edited
    # It stays in a third push too.
    assert client.push(bundle, name).value[1:3] == [[], True]
    # A restored card is replaced.
    edit(server, name, first_card)
    assert client.push(bundle, name).value[1:3] == [["README.md"], False]
    assert "A new sentence." in server.repositories[name].head.files["README.md"].decode()
    # The Hub writes a header for a new repository; it counts as no prose.
    edit(server, name, "---\nlicense: mit\n---\n")
    assert client.push(bundle, name).value[1:3] == [["README.md"], False]


def test_a_header_without_prose_is_replaced():
    for text in ("", "\n", "---\nlicense: mit\n---", "---\nlicense: mit\ntags:\n- a\n---\n\n"):
        assert not was_edited(text)
    for text in ("# a", "---\na: b\n---\nprose\n\n---\n", "---\nprose\n", "words\n---\na\n---\n"):
        assert was_edited(text)


@given(st.text())
def test_any_edit_of_a_card_is_detected(text):
    card = sign_card(f"# a card\n{text}")
    assert not was_edited(card)
    for at in (0, len(card) // 2, len(card)):
        assert was_edited(f"{card[:at]}x{card[at:]}")
    assert was_edited(f"# a card\n{text}")


def test_a_foreign_card_stays(server, client, name, bundle):
    server.add(name, {"README.md": b"# ours\n\nWords.\n", "model.onnx": b"another", "a.txt": b"a"})
    assert client.push(bundle, name).value[2]
    files = server.repositories[name].head.files
    assert files["README.md"] == b"# ours\n\nWords.\n"
    assert files["a.txt"] == b"a"
    assert files["model.onnx"] == (bundle / "model.onnx").read_bytes()


# Lost answers and concurrent pushes.


@pytest.mark.parametrize(
    "faults",
    [
        [hub_server.lost],
        [hub_server.reset, hub_server.reset, hub_server.lost],
        [hub_server.status(500), hub_server.status(503)],
        [hub_server.status(412), hub_server.status(409)],
    ],
)
def test_a_commit_is_made_once_after_any_answer(server, client, name, bundle, faults):
    server.plan("POST .*/commit/main", *faults)
    commit, changed, _, _ = client.push(bundle, name, tag="v1").value
    assert server.faults == []
    assert commits(server, name) == ["initial commit", "Push with ganzoo"]
    assert commit == server.repositories[name].head.oid == server.repositories[name].tags["v1"]
    assert changed == [".gitattributes", *PUSHED]


def test_an_applied_commit_reported_as_a_conflict(server, client, name, bundle):
    """The answer was lost, and a proxy repeated the request."""

    def twice(handler):
        dropped, handler.answer = handler.answer, lambda *a, **k: None
        repository = server.repositories[name]
        handler._commit(repository, "main", repository.head)
        handler.answer = dropped
        handler.refuse(412, message="A commit has happened since.")
        return True

    server.plan("POST .*/commit/main", twice)
    assert client.push(bundle, name).value[0] == server.repositories[name].head.oid
    assert len(commits(server, name)) == 2


def test_a_concurrent_commit_is_kept(server, client, name, bundle):
    client.push(bundle, name)
    (bundle / "samples.png").write_bytes(b"other samples")
    card = (bundle / "README.md").read_text()
    (bundle / "README.md").write_text(card + "\nMore.\n")
    rehash(bundle)

    def meanwhile(handler):
        edit(server, name, "# a card\n\nof one who was quicker\n")
        return False

    server.plan("POST .*/commit/main", meanwhile)
    _, changed, card_kept, _ = client.push(bundle, name).value
    assert card_kept, "the card that was edited while we pushed"
    assert "README.md" not in changed
    head = server.repositories[name].head
    assert head.files["README.md"].startswith(b"# a card\n\nof one who was")
    assert head.files["samples.png"] == b"other samples"
    assert commits(server, name)[2:] == ["Update README", "Push with ganzoo"]


def test_a_commit_that_always_conflicts_is_an_error(server, client, name, bundle):
    server.plan("POST .*/commit/main", *[hub_server.status(412)] * 4)
    assert_refused(client.push(bundle, name), "another commit to the repository came first (412")
    assert commits(server, name) == ["initial commit"]


@pytest.mark.parametrize(
    ("request_", "faults"),
    [
        ("GET .*/whoami", [hub_server.reset, hub_server.status(500)]),
        ("POST .*/create", [hub_server.reset]),
        ("POST .*/create", [hub_server.lost]),
        ("POST .*/preupload", [hub_server.reset]),
        ("PUT /storage", [hub_server.status(503), hub_server.reset]),
        ("POST .*/tag/", [hub_server.lost]),
        ("GET /storage/", [hub_server.cut(1000)]),
        ("GET .*/resolve/.*/README", [hub_server.status(502), hub_server.reset]),
    ],
)
def test_temporary_failures_are_retried_in_a_push(server, client, name, bundle, request_, faults):
    server.plan(request_, *faults)
    answer = client.push(bundle, name, tag="v1")
    assert answer.error is None, answer.err
    assert server.faults == []
    assert len(commits(server, name)) == 2
    assert server.repositories[name].tags["v1"] == answer.value[0]


def test_a_killed_push_can_be_repeated(server, client, name, bundle, tmp_path):
    client.push(bundle, name)
    before = server.repositories[name].head
    (bundle / "model.onnx").write_bytes((bundle / "model.onnx").read_bytes() + b"more")
    rehash(bundle)
    env = environment(server.endpoint, tmp_path, HF_TOKEN=TOKEN)
    for request in ("PUT /storage", "POST .*/commit/"):
        server.reset()
        server.plan(request, hub_server.hang)
        process = start_cli("push", bundle, name, env=env)
        assert server.waiting.wait(60)
        process.kill()
        process.wait()
        server.released.set()
        assert server.repositories[name].head is before, "all or nothing"
    answer = client.push(bundle, name)
    assert answer.value[1] == ["README.md", "SHA256SUMS", "model.onnx"]


def test_a_push_verifies_the_files_on_the_hub(server, client, name, bundle):
    server.plan("GET .*/resolve/.*/config", *[hub_server.flip] * 2)
    answer = client.push(bundle, name)
    assert_refused(answer, "two downloads of config.json do not match the checksum")
    server.plan("HEAD .*/resolve/.*/config", hub_server.with_etag("not-a-checksum"))
    server.plan("GET .*/resolve/.*/config", hub_server.flip)
    answer = client.push(bundle, name)
    assert_refused(answer, "was written, but the Hub serves another config.json (sha256 ")
    assert client.push(bundle, name).value[1] == []


# Refusals.


def test_each_refusal_names_the_remedy(server, clients, client, name, bundle):
    message = "without a token that has write access. Log in: hf auth login"
    assert_refused(clients["nobody"].push(bundle, name), message)
    assert_refused(
        clients["expired"].push(bundle, name), "the Hub does not accept your token (401)"
    )
    assert name not in server.repositories
    assert_refused(client.push(bundle, "others/name"), "your token has no write access")
    server.plan("POST .*/create", hub_server.status(404))
    assert_refused(client.push(bundle, name), "organisation or repository on the Hub (404: planned")
    server.plan("POST .*/commit", hub_server.status(403))
    assert_refused(client.push(bundle, name), "no write access (403: planned 403). Create one with")
    for request in ("POST .*/commit", "POST .*/preupload", "PUT /storage"):
        server.storage.clear()
        server.plan(request, hub_server.status(413))
        assert_refused(client.push(bundle, name), "your storage on the Hub is full (413")
    server.plan("GET .*/whoami", hub_server.status(429, Retry_After="600"))
    assert_refused(client.push(bundle, name), "Try again in 600 seconds.")
    server.plan("GET .*/whoami", hub_server.portal)
    assert_refused(
        client.push(bundle, name), "does not answer like the Hub. The cause may be a proxy"
    )
    server.plan("GET .*/whoami", *[hub_server.status(500)] * 4)
    assert_refused(client.push(bundle, name), "the Hub failed (500")
    assert commits(server, name) == ["initial commit"], "none of these has written anything"


@pytest.mark.parametrize(
    ("request_", "value"),
    [
        ("GET .*/whoami", []),
        ("POST .*/create", {}),
        ("GET /api/models/org", {}),
        ("GET /api/models/org", {"id": "x", "sha": "../x", "siblings": []}),
        ("GET .*/tree/", [{}]),
        ("GET .*/refs", {}),
        ("POST .*/preupload", {}),
        ("POST .*/commit/", {}),
    ],
)
def test_unexpected_answers_raise_only_hub_errors(server, client, name, bundle, request_, value):
    server.plan(request_, hub_server.strange(value))
    answer = client.push(bundle, name, tag="v1")
    assert answer.error is None or "HubError" in answer.error, answer.err
    if answer.error:
        assert answer.text.startswith(f"hf://{name}: ")
        strange = "does not answer like the Hub", "improperly formatted"
        assert any(text in answer.text for text in strange)


def test_an_exceeded_quota_is_an_error(server, client, name, bundle):
    def full(handler):
        import json

        objects = [
            {**o, "error": {"code": 403, "message": "Private storage limit reached"}}
            for o in json.loads(handler.body)["objects"]
        ]
        handler.json(200, {"transfer": "basic", "objects": objects})
        return True

    server.plan("POST .*/objects/batch", full)
    assert_refused(client.push(bundle, name), "Private storage limit reached")


def test_a_card_refused_by_the_hub_is_an_error(server, client, name, bundle):
    def invalid(handler):
        handler.json(400, {"errors": [{"message": '"license" must be one of'}], "warnings": []})
        return True

    server.plan("POST .*/validate-yaml", invalid)
    assert_refused(
        client.push(bundle, name), 'the Hub rejected the request (400: "license" must be one'
    )


def test_a_failure_of_xet_suggests_disabling_it(server, name, bundle, tmp_path):
    client = HubClient(server.endpoint, tmp_path / "xet", HF_TOKEN=TOKEN, HF_HUB_DISABLE_XET="0")
    answer = client.push(bundle, name)
    client.stop()
    assert_refused(answer, "Set HF_HUB_DISABLE_XET=1 to transfer without it")
    assert server.endpoint not in answer.text, "an address of the client's may be signed"


def test_a_silent_server_times_out(server, name, bundle, tmp_path):
    client = HubClient(server.endpoint, tmp_path / "soon", HF_TOKEN=TOKEN, GANZOO_HUB_TIMEOUT="0.5")
    client.run(IMPATIENT + SELECTIVE)
    for request in ("GET .*/whoami", "POST .*/create"):
        server.plan(request, hub_server.hang)
        client.limit(request)
        answer = client.push(bundle, name)
        assert_refused(answer, f"{server.endpoint} cannot be reached (ReadTimeout)")
        server.reset()
    client.limit("no request")
    assert client.push(bundle, name).error is None
    server.plan("HEAD .*config", hub_server.hang)
    client.limit("HEAD .*config")
    assert_refused(client.load(f"hf://{name}"), "cannot be reached (ReadTimeout)")
    server.plan("GET .*/api/models", hub_server.hang)
    client.limit("GET .*/api/models")
    answer = client.run("from ganzoo.hub import search; search()")
    assert_refused(answer, "the Hub's models: ")
    client.stop()


def test_a_public_repository_does_not_become_private(server, client, name, bundle):
    client.push(bundle, name, private=True)
    assert server.repositories[name].private
    assert client.push(bundle, name).value[1] == []
    server.repositories[name].private = False
    answer = client.push(bundle, name, private=True)
    assert_refused(answer, "exists and is public; --private applies to new repositories")


def test_a_branch_is_created_and_tagged(server, client, name, bundle):
    commit = client.push(bundle, name, revision="half", tag="v1").value[0]
    repository = server.repositories[name]
    assert repository.branches["half"] == commit
    assert list(repository.head.files) == [".gitattributes"], "main is as it was"
    assert client.push(bundle, name, revision="half", tag="v1").value[1] == []
    message = f"already has a tag 'v1', which points to commit {commit}"
    assert_refused(client.push(bundle, name, tag="v1"), message)
    assert list(repository.head.files) == [".gitattributes"], "nothing is written before that"
    assert client.push(bundle, name, tag="v2").value[1] == [".gitattributes", *PUSHED]


def test_a_concurrent_tag_is_an_error(server, client, name, bundle):
    def meanwhile(handler):
        repository = server.repositories[name]
        repository.tags["v1"] = repository.commits[0].oid
        return False

    server.plan("POST .*/tag/", meanwhile)
    assert_refused(client.push(bundle, name, tag="v1"), "but another push moved the tag 'v1' to")


def test_checksums_of_a_push_exclude_the_card(server, client, name, bundle, tmp_path):
    client.push(bundle, name)
    (tmp_path / "SHA256SUMS").write_bytes(server.repositories[name].head.files["SHA256SUMS"])
    names = read_checksums(tmp_path)
    assert sorted(names) == sorted(set(PUSHED) - {"README.md", "SHA256SUMS"})
    edit(server, name, "# edited\n\nby its owner\n")
    assert client.load(f"hf://{name}").error is None
