"""The checks as pytest's classes: a plugin's test names what it checks, and inherits them."""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from ganzoo.errors import ConformanceError
from ganzoo.spec import DataSpec
from ganzoo.testing.architecture import Architecture
from ganzoo.testing.checked_plugin import CheckedPlugin
from ganzoo.testing.checks import Check, check_expected, examine
from ganzoo.testing.dataset import Dataset
from ganzoo.testing.distribution import subjects_of
from ganzoo.testing.loss import Loss

SNAPSHOTS = "snapshots"  # folder beside a test


class Suite:
    """What the suites share.

    Attributes:
        expected_failures: checks that are known to fail, and why; one that holds all the same
            fails, so that the list stays true.
    """

    expected_failures: ClassVar[Mapping[str, str]] = {}

    @classmethod
    def subjects(cls) -> Sequence[CheckedPlugin]:
        """What is checked."""
        raise NotImplementedError

    @classmethod
    def name_of(cls, check: Check, subject: CheckedPlugin) -> str:
        """What a check is called in `expected_failures`."""
        return check.__name__

    @classmethod
    def folder(cls) -> Path:
        """Where the test lies."""
        return Path(str(sys.modules[cls.__module__].__file__)).parent

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Make a test of each check."""
        if "check" in metafunc.fixturenames:
            pairs = [(check, subject) for subject in self.subjects() for check in subject.checks]
            names = [self.name_of(*pair) for pair in pairs]
            metafunc.parametrize(("check", "subject"), pairs, ids=names)

    def test_it(self, check: Check, subject: CheckedPlugin) -> None:
        """Run a check and tell pytest what came of it."""
        outcome = examine(check, subject, self.expected_failures.get(self.name_of(check, subject)))
        match outcome.verdict:
            case "not checked":
                pytest.skip(outcome.sentence)
            case "expected failure":
                pytest.xfail(outcome.sentence)
            case "FAILED":
                if outcome.error is None or isinstance(outcome.error, ConformanceError):
                    pytest.fail(outcome.sentence, pytrace=False)
                raise outcome.error

    def test_expected_failures_name_checks(self) -> None:
        """A failure that is expected is one of a check that there is."""
        subjects = self.subjects()
        check_expected(
            self.expected_failures, [self.name_of(c, s) for s in subjects for c in s.checks]
        )


class ArchitectureSuite(Suite):
    """Checks of an architecture::

        class TestSagan(ArchitectureSuite):
            name = "sagan"
            arguments = {"width": 8}

    The names of its weights are kept in ``snapshots/<name>.json`` beside the test; with
    ``GANZOO_SNAPSHOTS=write`` in the environment they are written.

    Attributes:
        name: its registered name.
        arguments: at which its networks are small; by default those of `ganzoo.testing.sizes`.
        data: what it is built for; by default the first of some usual sizes that it can make.
        partners: losses it is to train with, and their arguments; by default those that fit it.
        every_partner: whether it trains with all that fit it; by default it does with the first
            of each kind, and ``ganzoo check`` trains it with all.
        snapshot: name of the snapshot, where several tests check one architecture.
    """

    name: ClassVar[str]
    arguments: ClassVar[Mapping[str, Any] | None] = None
    data: ClassVar[DataSpec | None] = None
    partners: ClassVar[Mapping[str, Mapping[str, Any]] | None] = None
    every_partner: ClassVar[bool] = False
    snapshot: ClassVar[str | None] = None

    @classmethod
    @functools.cache
    def subjects(cls) -> Sequence[CheckedPlugin]:
        """Return the architecture."""
        file = cls.folder() / SNAPSHOTS / f"{cls.snapshot or cls.name}.json"
        return [
            Architecture(
                cls.name,
                cls.arguments,
                data=cls.data,
                partners=cls.partners,
                every_partner=cls.every_partner,
                snapshot=file,
            )
        ]


class LossSuite(Suite):
    """Checks of a loss::

        class TestSquaredHinge(LossSuite):
            name = "squared-hinge"

    Attributes:
        name: its registered name.
        arguments: of its factory; by default its own.
        data: what it is played on; by default the first of some usual sizes that a partner can
            make.
        partners: architectures that it is to play with, and their arguments; by default those
            that fit it, at tiny size.
        every_partner: whether it plays with all that fit it; by default it does with the first
            of each kind, and ``ganzoo check`` plays it with all.
    """

    name: ClassVar[str]
    arguments: ClassVar[Mapping[str, Any] | None] = None
    data: ClassVar[DataSpec | None] = None
    partners: ClassVar[Mapping[str, Mapping[str, Any]] | None] = None
    every_partner: ClassVar[bool] = False

    @classmethod
    @functools.cache
    def subjects(cls) -> Sequence[CheckedPlugin]:
        """Return the loss."""
        return [
            Loss(
                cls.name,
                cls.arguments,
                data=cls.data,
                partners=cls.partners,
                every_partner=cls.every_partner,
            )
        ]


class DatasetSuite(Suite):
    """Checks of a dataset::

        class TestPortraits(DatasetSuite):
            name = "portraits"

            @pytest.fixture
            def root(self, tmp_path):
                ...  # a few files, as the dataset wants them
                return tmp_path

    Attributes:
        name: its registered name.
        arguments: of its factory; by default its own.
    """

    name: ClassVar[str]
    arguments: ClassVar[Mapping[str, Any] | None] = None

    @pytest.fixture
    def root(self) -> Path | None:
        """Where its files lie; None for a dataset that reads none."""
        return None

    @classmethod
    def subjects(cls) -> Sequence[CheckedPlugin]:
        """Return the dataset."""
        return [Dataset(cls.name, cls.arguments)]

    def test_it(self, check: Check, subject: CheckedPlugin, root: Path | None) -> None:  # type: ignore[override]
        """Run a check on the dataset where its files lie."""
        super().test_it(check, Dataset(self.name, self.arguments, root=root))


class PluginSuite(Suite):
    """Checks of everything that a distribution registers::

        class TestAcmeGans(PluginSuite):
            distribution = "acme-gans"

    Attributes:
        distribution: its name, as ``pip install`` takes it.
        arguments: of factories, by kind and name, such as ``{"architecture sagan": {"width": 8}}``.
        expected_failures: by kind, name and check: ``{"architecture sagan: exports": "..."}``.
        every_partner: whether each architecture and loss trains with all that fit it; by default
            it does with the first of each kind, and ``ganzoo check`` trains it with all.
    """

    distribution: ClassVar[str]
    every_partner: ClassVar[bool] = False
    arguments: ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    @classmethod
    @functools.cache
    def subjects(cls) -> Sequence[CheckedPlugin]:
        """Return what the distribution registers."""
        folder = cls.folder() / SNAPSHOTS
        return subjects_of(
            cls.distribution,
            arguments=cls.arguments,
            snapshots=folder,
            every_partner=cls.every_partner,
        )

    @classmethod
    def name_of(cls, check: Check, subject: CheckedPlugin) -> str:
        """What a check is called in `expected_failures`."""
        return f"{subject.label}: {check.__name__}"
