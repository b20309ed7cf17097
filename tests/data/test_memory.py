"""The memory of a training does not depend on the number of images."""

import json
import sys
from pathlib import Path

import pytest

from ganzoo.spec import Component
from helpers.paths import ROOT
from helpers.processes import run_new
from helpers.recipes import tiny

sys.path.insert(0, str(ROOT / "tools"))
from make_shards import make_shards

CODE = """
import json, resource, sys
from pathlib import Path
import ganzoo
from ganzoo.spec import Recipe

def peak():  # of this program alone: ru_maxrss would count what the one before exec took
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))

def train(data, out):
    ganzoo.train(Recipe.from_toml(Path(sys.argv[1])), data=data, out=out, progress=False)
    workers = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return peak(), workers

begin = train(sys.argv[2], sys.argv[4] + "-few")  # imports all that is needed
print(json.dumps([begin, train(sys.argv[3], sys.argv[4] + "-many")]))
"""


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="needs Linux's /proc")
def test_memory_does_not_grow_with_the_number_of_images(tmp_path):
    make_shards(tmp_path / "few", 500, size=96)
    make_shards(tmp_path / "many", 5_000, size=96)  # 138 MB if they were kept decoded
    dataset = Component("webdataset", {"size": 96})
    recipe = tiny(dataset=dataset, streaming="on", images=640, checkpoint_every=0)
    (tmp_path / "recipe.toml").write_text(recipe.to_toml())
    paths = [str(tmp_path / name) for name in ("recipe.toml", "few", "many", "run")]
    done = run_new("-c", CODE, *paths)
    assert done.returncode == 0, done.stderr
    few, many = json.loads(done.stdout)
    for less, more in zip(few, many, strict=True):
        assert more < 1.1 * less, f"{more} kB for 5,000 images, {less} kB for 500"


def test_generated_shards_can_be_read(tmp_path):
    from helpers.datasets import get

    make_shards(tmp_path, 25, per_shard=10, kind="jpg", classes=7)
    dataset, spec = get("webdataset", tmp_path, size=16, classes=7)
    assert len(dataset) == 25
    assert [dataset[k][1].item() for k in range(25)] == [k % 7 for k in range(25)]
    assert spec.origin == f"25 image files in 3 shards of the folder {tmp_path.name!r}"
