"""Neither ganzoo nor a library that it uses writes to the home folder, asks the network, or changes
settings of the process that belong to its user."""

import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest

from helpers.bundles import finish_card
from helpers.datasets import picture, write_parquet
from helpers.extras import needs_datasets, needs_gradio
from helpers.hub_client import environment
from helpers.hub_server import TOKEN, HubServer
from helpers.processes import run_new, run_python

TESTS = Path(__file__).parents[1]

# Every use of the network by Python raises an event; other code would need a file in HOME first.
CODE = """
import sys
network = {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"}
def refuse(event, arguments):
    if event in network:
        raise SystemExit(f"{event} {arguments}")
sys.addaudithook(refuse)

from helpers.process_state import unchanged
import ganzoo

for runtime in ("onnx", "torch"):
    with unchanged(f"load by {runtime}"):
        model = ganzoo.load("dcgan-mnist", runtime=runtime)
    with unchanged(f"sample by {runtime}"):
        model.sample(1)
assert "torch._dynamo" not in sys.modules
from pathlib import Path
with unchanged("a dataset that imports torchvision, which imports torch's compiler"):
    try:
        ganzoo.datasets.make("celeba", Path("none"))
    except ganzoo.errors.DataNotFoundError:
        pass
assert "torch._dynamo" in sys.modules
with unchanged("the recipe"):
    from ganzoo.spec import Component, Recipe
    recipe = Recipe(
        name="tiny", architecture=Component("dcgan", {"latent_dim": 8, "width": 4}),
        loss=Component("nonsaturating"), dataset=Component("digits"), images=32, batch_size=16,
    )
with unchanged("train"):
    run = ganzoo.train(recipe, out="run", progress=False, tensorboard="on")
with unchanged("export"):
    bundle = ganzoo.export(run.path)
with unchanged("evaluate"):
    ganzoo.evaluate(
        bundle, samples=300, extractor="lenet-mnist@1", resize=True, progress=False,
        metrics=["frechet", "precision-recall"],
    )
assert {"matplotlib", "sklearn", "torch._dynamo"} <= sys.modules.keys()
"""


def test_home_stays_empty_nobody_is_asked_and_the_process_is_as_before(tmp_path):
    home, cache, work, temporary = (tmp_path / n for n in ("home", "cache", "work", "temporary"))
    for folder in (home, cache, work, temporary):
        folder.mkdir()
    env = {
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "GANZOO_CACHE": str(cache),
        "PYTHONPATH": str(TESTS),
    }
    env |= dict.fromkeys(("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "TORCH_HOME", "HF_HOME"), "")
    # Warnings as errors do not matter either.
    result = run_new("-W", "error", "-c", CODE, env=env, cwd=work)
    assert result.returncode == 0, result.stderr
    assert list(home.iterdir()) == []
    assert list(temporary.iterdir()) == []
    assert sorted(p.name for p in cache.iterdir()) == ["features", "matplotlib"]


def test_the_environment_of_a_bug_report_is_printed_without_telemetry(tmp_path):
    env = {"HOME": str(tmp_path), "TMPDIR": str(tmp_path), "XDG_CACHE_HOME": ""}
    result = run_new("-m", "ganzoo", "env", env=env)
    assert result.returncode == 0, result.stderr
    assert "onnxruntime" in result.stdout
    assert list(tmp_path.iterdir()) == []


def command(*words):
    return f"from ganzoo.cli import main\nassert main({list(words)!r}) == 0\n"


OTHERS = {
    "umap": command("plot", "umap", "./bundle", "--dataset", "digits"),
    "plot run": command("plot", "run", "run"),
    "gallery": command("gallery", "./bundle"),
    "web page": command("export", "./bundle", "--for", "web-cdn", "-o", "page"),
    "latent space": command("walk", "./bundle", "--seeds", "1,2", "--seconds", "0.2")
    + command("sample", "./bundle", "-n", "1", "--scale", "1", "-o", "photo.png")
    + command("invert", "./bundle", "photo.png", "--steps", "2", "--samples", "2")
    + command("directions", "./bundle", "--draws", "50", "--count", "2"),
    "parquet": "import ganzoo\n"
    "from pathlib import Path\n"
    "items, _ = ganzoo.datasets.make('parquet', Path('a.parquet'), size=16)\n"
    "items[0]",
    "import": command("import", "bundle/model.safetensors", "--inspect"),
    "card": command("card", "write", "bundle"),
    "list": command("list"),
    "push": "import ganzoo\nganzoo.push('bundle', 'org/name')",
    "pull": "import ganzoo\nganzoo.load('hf://org/name').sample(1)",
    "demo": """
import http.client, os, signal, socket, threading, time
with socket.create_server(('127.0.0.1', 0)) as probe:
    port = probe.getsockname()[1]
def stop():
    for _ in range(600):
        time.sleep(0.1)
        try:
            client = http.client.HTTPConnection('127.0.0.1', port, timeout=5)
            client.request('GET', '/')
            client.getresponse().read()
            break
        except OSError:
            pass
    os.kill(os.getpid(), signal.SIGINT)
from ganzoo.demo import launch
threading.Thread(target=stop, daemon=True).start()
try:
    launch(['dcgan-mnist'], port=port)
except KeyboardInterrupt:
    pass
""",
}


@pytest.fixture(scope="module")
def folder(tiny_run, tiny_bundle, tmp_path_factory):
    path = tmp_path_factory.mktemp("first")
    shutil.copytree(tiny_run, path / "run")
    finish_card(shutil.copytree(tiny_bundle, path / "bundle"))
    if find_spec("pyarrow"):
        write_parquet(path / "a.parquet", image=[picture(0)])
    return path


@pytest.fixture(scope="module")
def server():
    server = HubServer()
    yield server
    server.stop()


SLOW = {"umap", "parquet"}
NEEDS = {"demo": [needs_gradio], "parquet": [needs_datasets]}


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[pytest.mark.slow] * (n in SLOW) + NEEDS.get(n, [])) for n in OTHERS],
)
def test_the_first_use_leaves_the_process_as_before(name, folder, server):
    lines = "".join(f"    {line}\n" for line in OTHERS[name].splitlines())
    code = f"from helpers.process_state import unchanged\nwith unchanged({name!r}):\n{lines}"
    env = environment(server.endpoint, folder / "hub", HF_TOKEN=TOKEN, PYTHONPATH=str(TESTS))
    result = run_python(code, cwd=folder, env=env)
    assert result.returncode == 0, result.stdout + result.stderr
