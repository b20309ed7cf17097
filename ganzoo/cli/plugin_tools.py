"""Commands for authors of plugins."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import tyro

from ganzoo.cli.arguments import Text
from ganzoo.errors import ConformanceError, as_folder, shell_word
from ganzoo.system.terminal import print_out


def check(
    distribution: Text,
    name: tyro.conf.Positional[str | None] = None,
    /,
    data: Path | None = None,
    expect: tuple[str, ...] = (),
) -> None:
    """Check that the objects of an installed plugin can be built, trained and exported.

    Args:
        distribution: name of the plugin's distribution, as in 'pip install NAME'.
        name: check only what is registered under this name.
        data: folder of the plugin's datasets.
        expect: known failures with a reason, each as "architecture sagan: exports=the reason".
    """
    from ganzoo.testing.checks import check_expected, examine
    from ganzoo.testing.distribution import subjects_of

    subjects = subjects_of(distribution, name, data=data)
    expected = {key.strip(): reason for key, _, reason in (text.partition("=") for text in expect)}
    names = [f"{subject.label}: {c.__name__}" for subject in subjects for c in subject.checks]
    check_expected(expected, names)
    counts: Counter[str] = Counter()
    for subject in subjects:
        print_out(f"{subject.label}")
        for function in subject.checks:
            label = f"{subject.label}: {function.__name__}"
            outcome = examine(function, subject, expected.get(label))
            counts[outcome.verdict] += 1
            print_out(
                f"  {outcome.verdict:<11} {function.__name__}: {outcome.sentence}", flush=True
            )
    summary = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    if counts["FAILED"]:
        raise ConformanceError(f"{distribution} fails checks for plugins: {summary}.")
    print_out(summary)


def new_plugin(name: Text, /, out: Path | None = None, importer: bool = False) -> None:
    """Create a new plugin: a package with an architecture, a loss, a recipe and tests.

    Args:
        name: name of the plugin's distribution, such as acme-gans.
        out: folder to create; by default the name.
        importer: also write an importer of another project's checkpoints, with its test.
    """
    from packaging.utils import canonicalize_name

    from ganzoo.testing.plugin_template import write_plugin

    path = write_plugin(name, out, importer=importer)
    print_out(
        f"{path}\n"
        f"next: pip install --editable {as_folder(Path(f'{path}[test]'))}\n"
        f"      pytest {shell_word(path)}\n"
        f"      ganzoo train {canonicalize_name(name)} --images 2000"
    )
