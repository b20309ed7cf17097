"""Neither ganzoo nor a library that it uses writes to the home folder or asks the network."""

from helpers.processes import run_new

# Every use of the network by Python raises an event; other code would need a file in HOME first.
CODE = """
import sys
network = {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"}
def refuse(event, arguments):
    if event in network:
        raise SystemExit(f"{event} {arguments}")
sys.addaudithook(refuse)

import os
import ganzoo
from ganzoo.spec import Component, Recipe

for runtime in ("onnx", "torch"):
    ganzoo.load("dcgan-mnist", runtime=runtime).sample(1)
assert "torch._dynamo" not in sys.modules
recipe = Recipe(
    name="tiny", architecture=Component("dcgan", {"latent_dim": 8, "width": 4}),
    loss=Component("nonsaturating"), dataset=Component("digits"), images=32, batch_size=16,
)
run = ganzoo.train(recipe, out="run", progress=False, tensorboard="on")
bundle = ganzoo.export(run.path)
ganzoo.evaluate(bundle, samples=300, extractor="pixels", metrics=["frechet"], progress=False)
assert "matplotlib" in sys.modules
changed = {name for name in os.environ if "MPL" in name or "TELEMETRY" in name}
assert not changed, changed
"""


def test_home_stays_empty_and_nobody_is_asked(tmp_path):
    home, cache, work = (tmp_path / name for name in ("home", "cache", "work"))
    for folder in (home, cache, work):
        folder.mkdir()
    env = {"HOME": str(home), "GANZOO_CACHE": str(cache)}
    env |= dict.fromkeys(("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "TORCH_HOME", "HF_HOME"), "")
    # Warnings as errors do not matter either.
    result = run_new("-W", "error", "-c", CODE, env=env, cwd=work)
    assert result.returncode == 0, result.stderr
    assert list(home.iterdir()) == []
    assert sorted(p.name for p in cache.iterdir()) == ["features", "matplotlib"]
