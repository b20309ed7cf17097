"""Architectures under test."""

from __future__ import annotations

from ganzoo.testing import delivery, networks, registration
from ganzoo.testing.built_architecture import BuiltArchitecture
from ganzoo.testing.combinations import resumes, trains, trains_only_its_own
from ganzoo.testing.imports import imports_quietly
from ganzoo.testing.snapshots import keeps_its_names


class Architecture(BuiltArchitecture):
    """An architecture with its arguments, under test; its arguments are those of its parent."""

    checks = (
        registration.loads,
        registration.has_matching_name,
        registration.takes_named_arguments,
        registration.names_its_source,
        imports_quietly,
        networks.builds,
        networks.makes_images_of_the_size,
        networks.stays_in_range,
        networks.returns_one_row_per_image,
        networks.is_deterministic,
        networks.is_batch_independent,
        trains,
        networks.uses_labels,
        networks.learns_everywhere,
        trains_only_its_own,
        resumes,
        delivery.loads_again,
        delivery.exports,
        keeps_its_names,
    )
