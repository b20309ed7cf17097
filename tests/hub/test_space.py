"""A Space for a model, pushed by the Hub's real client to a server on loopback."""

import ast
import hashlib
import signal
import socket
import tomllib
from importlib import metadata

import pytest
import yaml
from packaging.requirements import Requirement

from ganzoo.hub.space import GRADIO, pack_space
from ganzoo.registry.names import HubName
from helpers import hub_server
from helpers.bundles import finish_card
from helpers.extras import needs_gradio
from helpers.hub_client import HubClient, environment
from helpers.hub_server import TOKEN
from helpers.paths import ROOT
from helpers.processes import run_cli, start_python

pytestmark = pytest.mark.enable_socket

FILES = ["README.md", "app.py", "requirements.txt"]


@pytest.fixture(scope="module")
def client(server, tmp_path_factory):
    client = HubClient(server.endpoint, tmp_path_factory.mktemp("client") / "home", HF_TOKEN=TOKEN)
    yield client
    client.stop()
    assert TOKEN not in client.output


@pytest.fixture
def bundle(bundle):
    """A bundle with a finished card."""
    finish_card(bundle)
    return bundle


@pytest.fixture
def name(server, request):
    """The name of a separate repository, which does not exist yet."""
    server.reset()
    return "org/" + hashlib.sha256(request.node.name.encode()).hexdigest()[:12]


def push(client, bundle, name, **how):
    return client.run(
        "import ganzoo\n"
        f"done = ganzoo.push({str(bundle)!r}, {name!r}, space=True, **{how!r})\n"
        "value = [list(done.changed), list(done.space_changed)]"
    )


def header(repository):
    return yaml.safe_load(repository.head.files["README.md"].decode().split("---\n")[1])


def test_a_space_is_one_commit(server, client, name, bundle):
    answer = push(client, bundle, name)
    assert answer.value[1] == FILES, answer.err
    space = server.repositories[f"spaces/{name}"]
    assert [commit.title for commit in space.commits] == ["initial commit", "Push with ganzoo"]
    assert sorted(space.head.files) == [".gitattributes", *FILES]
    assert "model.onnx" in server.repositories[name].head.files
    assert not space.private
    assert space.head.files["app.py"].decode() == (
        f'from ganzoo.demo import launch\n\nlaunch(["hf://{name}"])\n'
    )
    version = metadata.version("torch-ganzoo")
    assert space.head.files["requirements.txt"].decode() == f"torch-ganzoo[demo]=={version}\n"
    assert header(space) == {
        "title": name.removeprefix("org/"),
        "emoji": "🎲",
        "colorFrom": "indigo",
        "colorTo": "pink",
        "sdk": "gradio",
        "sdk_version": GRADIO,
        "python_version": "3.12",
        "app_file": "app.py",
        "models": [name],
        "license": "cc-by-4.0",
    }


def test_a_second_push_writes_changes_and_keeps_an_edited_page(server, client, name, bundle):
    push(client, bundle, name)
    assert push(client, bundle, name).value == [[], []]
    space = server.repositories[f"spaces/{name}"]
    edited = space.head.files["README.md"] + b"\nMore of mine.\n"
    space.commit(space.head.files | {"README.md": edited, "app.py": b"old", "notes.txt": b"mine"})
    assert push(client, bundle, name).value == [[], ["app.py"]]
    assert space.head.files["README.md"] == edited
    assert space.head.files["notes.txt"] == b"mine"


def test_a_space_can_be_private_and_have_a_branch(server, client, name, bundle):
    push(client, bundle, name, private=True, revision="next")
    space = server.repositories[f"spaces/{name}"]
    assert space.private
    assert f'"hf://{name}@next"' in space.head.files["app.py"].decode()
    assert set(space.branches) == {"main"}


def test_temporary_faults_are_retried_and_others_reported(server, client, name, bundle):
    server.plan(rf"POST /api/spaces/{name}/commit", hub_server.lost)
    server.plan(rf"POST /api/spaces/{name}/preupload", hub_server.status(503))
    assert push(client, bundle, name).value[1] == FILES
    space = server.repositories[f"spaces/{name}"]
    assert len(space.commits) == 2, "the commit whose answer was lost is not made again"
    server.plan(rf"GET /api/spaces/{name}", hub_server.status(403))
    answer = push(client, bundle, name)
    assert answer.error
    assert answer.text.startswith(f"the Space {name}: "), answer.text
    server.reset()
    del space.commits[1:]
    space.branches["main"] = space.commits[0].oid
    server.plan(rf"GET /spaces/{name}/resolve/.*app.py", hub_server.flip, hub_server.flip)
    answer = push(client, bundle, name)
    assert "two downloads of app.py do not match the checksum" in answer.text


def test_a_dry_run_lists_its_files_without_requests(server, name, bundle, tmp_path):
    env = environment(server.endpoint, tmp_path, HF_TOKEN=TOKEN)
    result = run_cli("push", bundle, name, "--space", "--dry-run", env=env)
    assert result.returncode == 0, result.stderr
    lines = result.stdout.split("\n\n")[0].splitlines()
    assert [line.split()[1] for line in lines[-4:-1]] == [
        "app.py",
        "requirements.txt",
        "README.md",
    ]
    assert lines[-1].endswith(f"total, to the Space {name}")
    assert server.requests == []


def test_the_command_reports_its_changes(server, name, bundle, tmp_path):
    env = environment(server.endpoint, tmp_path, HF_TOKEN=TOKEN)
    result = run_cli("push", bundle, name, "--space", "--private", env=env)
    assert result.returncode == 0, result.stderr
    assert f"the Space {name}: README.md, app.py, requirements.txt\n" in result.stdout
    assert "Add a token to its settings as secret HF_TOKEN" in result.stdout
    assert "The card was edited" not in result.stdout
    space = server.repositories[f"spaces/{name}"]
    edited = space.head.files["README.md"] + b"\nMore of mine.\n"
    space.commit(space.head.files | {"README.md": edited})
    result = run_cli("push", bundle, name, "--space", env=env)
    _, _, of_the_space = result.stdout.partition(f"the Space {name}: no changes\n")
    assert of_the_space.startswith("The card was edited on the Hub and is not replaced"), (
        result.stdout
    )


@needs_gradio
def test_the_app_shows_the_pushed_model(server, client, name, bundle, tmp_path):
    push(client, bundle, name)
    (tmp_path / "app.py").write_bytes(server.repositories[f"spaces/{name}"].head.files["app.py"])
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    env = environment(server.endpoint, tmp_path / "home", GRADIO_SERVER_PORT=str(port))
    app = start_python((tmp_path / "app.py").read_text(), cwd=tmp_path, env=env)
    line = app.wait_for("\n")
    assert line == f"1 model at http://127.0.0.1:{port}/ (press Ctrl-C to stop)\n", app.output()
    assert any(f"/{name}/resolve/" in request for request in server.requests)
    app.send_signal(signal.SIGINT)
    app.wait(60)


def test_the_requirements_exclude_torch():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (gradio,) = map(Requirement, project["optional-dependencies"]["demo"])
    assert gradio.name == "gradio"
    assert GRADIO in gradio.specifier
    assert not any(Requirement(text).name == "torch" for text in project["dependencies"])


def test_the_app_calls_existing_functions():
    import inspect

    from ganzoo.demo import launch

    files = pack_space(HubName("org/name"), "---\nlicense: mit\n---\n")
    tree = ast.parse(files.contents["app.py"])
    (call,) = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    inspect.signature(launch).bind(*map(ast.literal_eval, call.args))
    assert ast.literal_eval(call.args[0]) == ["hf://org/name"]
