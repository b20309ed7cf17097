"""The checks as pytest classes, which the tests of a plugin subclass."""

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
from ganzoo.testing.importer import Importer
from ganzoo.testing.loss import Loss

SNAPSHOTS = "snapshots"  # folder next to a test


class Suite:
    """The base class of the suites.

    Attributes:
        expected_failures: checks that are expected to fail, and why. If one of them passes, its
            test fails, so that the list stays correct.
    """

    expected_failures: ClassVar[Mapping[str, str]] = {}

    @classmethod
    def subjects(cls) -> Sequence[CheckedPlugin]:
        """Return the plugins to check."""
        raise NotImplementedError

    @classmethod
    def name_of(cls, check: Check, subject: CheckedPlugin) -> str:
        """Return the name of a check in `expected_failures`."""
        return check.__name__

    @classmethod
    def folder(cls) -> Path:
        """Return the folder of the test."""
        return Path(str(sys.modules[cls.__module__].__file__)).parent

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Create a test for each check of each plugin."""
        if "check" in metafunc.fixturenames:
            cases = [(check, subject) for subject in self.subjects() for check in subject.checks]
            names = [self.name_of(*case) for case in cases]
            metafunc.parametrize(("check", "subject"), cases, ids=names)

    def test_it(self, check: Check, subject: CheckedPlugin) -> None:
        """Run a check and report its outcome to pytest."""
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
        """Each expected failure names a check that exists."""
        subjects = self.subjects()
        check_expected(
            self.expected_failures, [self.name_of(c, s) for s in subjects for c in s.checks]
        )


class ArchitectureSuite(Suite):
    """Checks of an architecture::

        class TestSagan(ArchitectureSuite):
            name = "sagan"
            arguments = {"width": 8}

    The file ``snapshots/<name>.json`` next to the test holds the names of its weights. With
    ``GANZOO_SNAPSHOTS=write`` in the environment the test writes it.

    Attributes:
        name: its registered name.
        arguments: arguments for small networks; by default those of `ganzoo.testing.sizes`.
        data: data to build it for; by default the first common size that it supports.
        partners: losses to train with, and their arguments; by default all that fit.
        every_partner: whether to train with all losses that fit; by default with the first of
            each kind. ``ganzoo check`` trains with all.
        snapshot: name of the snapshot, if several tests check one architecture.
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
        arguments: arguments of its factory; by default its defaults.
        data: data to train on; by default the first common size that a partner supports.
        partners: architectures to train, and their arguments; by default all that fit, at tiny
            size.
        every_partner: whether to train all architectures that fit; by default the first of each
            kind. ``ganzoo check`` trains all.
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
                ...  # write a few files that the dataset can read
                return tmp_path

    Attributes:
        name: its registered name.
        arguments: arguments of its factory; by default its defaults.
    """

    name: ClassVar[str]
    arguments: ClassVar[Mapping[str, Any] | None] = None

    @pytest.fixture
    def root(self) -> Path | None:
        """Return the folder with its files; None for a dataset without files."""
        return None

    @classmethod
    def subjects(cls) -> Sequence[CheckedPlugin]:
        """Return the dataset."""
        return [Dataset(cls.name, cls.arguments)]

    def test_it(self, check: Check, subject: CheckedPlugin, root: Path | None) -> None:  # type: ignore[override]
        """Run a check on the dataset in `root`."""
        super().test_it(check, Dataset(self.name, self.arguments, root=root))


class ImporterSuite(Suite):
    """Checks of an importer::

        class TestAcme(ImporterSuite):
            name = "acme"

            @pytest.fixture
            def file(self, tmp_path):
                ...  # write a small checkpoint, as the project does
                return tmp_path / "generator.pth"

    Attributes:
        name: its registered name.
        options: options of the format that the file needs.
    """

    name: ClassVar[str]
    options: ClassVar[Mapping[str, Any]] = {}

    @pytest.fixture
    def file(self) -> Path | None:
        """Return a checkpoint of the format."""
        return None

    @classmethod
    def subjects(cls) -> Sequence[CheckedPlugin]:
        """Return the importer."""
        return [Importer(cls.name, options=cls.options)]

    def test_it(self, check: Check, subject: CheckedPlugin, file: Path | None) -> None:  # type: ignore[override]
        """Run a check on the importer, with its file."""
        super().test_it(check, Importer(self.name, file, self.options))


class PluginSuite(Suite):
    """Checks of everything that a distribution registers::

        class TestAcmeGans(PluginSuite):
            distribution = "acme-gans"

    Attributes:
        distribution: its name, as in ``pip install``.
        arguments: arguments of factories by kind and name, such as
            ``{"architecture sagan": {"width": 8}}``.
        expected_failures: reasons by kind, name and check, such as
            ``{"architecture sagan: exports": "..."}``.
        every_partner: whether each architecture and loss trains with all partners that fit; by
            default with the first of each kind. ``ganzoo check`` trains with all.
    """

    distribution: ClassVar[str]
    every_partner: ClassVar[bool] = False
    arguments: ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    @classmethod
    @functools.cache
    def subjects(cls) -> Sequence[CheckedPlugin]:
        """Return the plugins that the distribution registers."""
        folder = cls.folder() / SNAPSHOTS
        return subjects_of(
            cls.distribution,
            arguments=cls.arguments,
            snapshots=folder,
            every_partner=cls.every_partner,
        )

    @classmethod
    def name_of(cls, check: Check, subject: CheckedPlugin) -> str:
        """Return the name of a check in `expected_failures`."""
        return f"{subject.label}: {check.__name__}"
