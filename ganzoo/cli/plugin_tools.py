"""For authors of plugins: check one, begin one."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import tyro

from ganzoo.cli.arguments import Text
from ganzoo.cli.formatting import as_folder
from ganzoo.errors import ConformanceError


def check(
    distribution: Text,
    name: tyro.conf.Positional[str | None] = None,
    /,
    data: Path | None = None,
    expect: tuple[str, ...] = (),
) -> None:
    """Check what an installed plugin registers: that it builds, trains, exports and so on.

    Args:
        distribution: the plugin's name, as pip takes it.
        name: of what it registers this alone.
        data: where the files of its datasets lie.
        expect: failures that are known, and why, each as "architecture sagan: exports=the reason".
    """
    from ganzoo.testing.checks import check_expected, examine
    from ganzoo.testing.distribution import subjects_of

    subjects = subjects_of(distribution, name, data=data)
    expected = {key.strip(): reason for key, _, reason in (text.partition("=") for text in expect)}
    names = [f"{subject.label}: {c.__name__}" for subject in subjects for c in subject.checks]
    check_expected(expected, names)
    counts: Counter[str] = Counter()
    for subject in subjects:
        print(f"{subject.label}")
        for one in subject.checks:
            outcome = examine(one, subject, expected.get(f"{subject.label}: {one.__name__}"))
            counts[outcome.verdict] += 1
            print(f"  {outcome.verdict:<11} {one.__name__}: {outcome.sentence}", flush=True)
    summary = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    if counts["FAILED"]:
        raise ConformanceError(f"{distribution} does not keep what a plugin must: {summary}.")
    print(summary)


def new_plugin(name: Text, /, out: Path | None = None) -> None:
    """Write the source of a new plugin: an architecture, a loss, a recipe, their tests.

    Args:
        name: the plugin's name, as pip is to take it, such as acme-gans.
        out: its folder; by default the name.
    """
    from packaging.utils import canonicalize_name

    from ganzoo.testing.plugin_template import write_plugin

    path = write_plugin(name, out)
    print(
        f"{path}\n"
        f"next: pip install --editable '{as_folder(path)}[test]'\n"
        f"      pytest {path}\n"
        f"      ganzoo train {canonicalize_name(name)} --images 2000"
    )
