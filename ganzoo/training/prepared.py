"""A training that is ready to run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganzoo.data.batches import Batches
from ganzoo.nn import inputs_of, sizes_of, style_spec_of
from ganzoo.nn.initialisation import normalised
from ganzoo.registry import architectures
from ganzoo.sampling.sizes import choose_compute_batch
from ganzoo.spec import INITIAL, PARAMETERS, DataSpec, ModelSpec, Recipe
from ganzoo.training import provenance
from ganzoo.training.initial_weights import InitialWeights
from ganzoo.training.state import State

if TYPE_CHECKING:
    from torch import Tensor

    from ganzoo.evaluation import Evaluator


@dataclass(frozen=True)
class Prepared:
    """Everything that a training needs.

    Attributes:
        recipe: the recipe, with all arguments of its components.
        root: folder of the datasets, if there is one.
        data: description of the data.
        batches: the data.
        state: networks, loss, optimizers and progress.
        evaluator: the evaluator of the training, if the recipe has an evaluation.
        tensors: by role, the names of the tensors of a network as the architecture builds it,
            without the spectral normalisation of the recipe.
        initial: the trained weights that the training started from, if any.
        history: changes of the recipe during the run, see `ganzoo.training.changes`.
    """

    recipe: Recipe
    root: Path | None
    data: DataSpec
    batches: Batches
    state: State
    evaluator: Evaluator | None = None
    tensors: Mapping[str, Sequence[str]] = field(default_factory=dict)
    initial: InitialWeights | None = None
    history: Sequence[dict[str, Any]] = ()

    @property
    def training_roles(self) -> tuple[str, ...]:
        """Roles of the networks that bundles keep for further training."""
        exported = self.state.loss.exported_roles
        roles = self.state.nets if self.recipe.keep_discriminator else ()
        return tuple(role for role in roles if role not in exported)

    @property
    def parameters(self) -> dict[str, int]:
        """Number of parameters of each network of a bundle by role."""
        roles = (*self.state.loss.exported_roles, *self.training_roles)
        nets = self.state.nets
        return {role: sum(p.numel() for p in nets[role].parameters()) for role in roles}

    def weights_of(self, role: str) -> dict[str, Tensor]:
        """Return the current weights of a network as the architecture builds it."""
        state = self.state.nets[role].state_dict()
        return {n: state[n if n in state else normalised(n)] for n in self.tensors[role]}

    @property
    def data_facts(self) -> dict[str, Any]:
        """What the config records of the data."""
        facts = {
            "dataset": self.recipe.dataset.name,
            "images": len(self.batches),
            "sha256": self.batches.fingerprint,
            "license": self.data.license,
            "origin": self.data.origin,
        }
        images = {
            "files": self.batches.file_counts,
            "fit": self.batches.fitting,
            "image_counts": dict(self.batches.image_counts),
        }
        return facts | {key: value for key, value in images.items() if value}

    def spec(self) -> ModelSpec:
        """Return the config of the generator in its current state."""
        component, generator = self.recipe.architecture, self.state.nets["generator"]
        entry = architectures.entry(component.name)
        return ModelSpec(
            name=self.recipe.name,
            architecture=entry.name,
            arguments=component.arguments,
            requires=entry.requirement,
            data=self.data,
            latent=self.state.latent,
            styles=style_spec_of(generator),
            inputs=inputs_of(generator),
            sizes=sizes_of(generator),
            compute_batch=choose_compute_batch(self.data.image),
            roles=self.state.loss.exported_roles,
            training_roles=self.training_roles,
            provenance=provenance.describe(
                self.recipe,
                self.state.images_seen,
                self.state.seconds,
                self.state.device,
                self.state.group.size,
                self.data_facts,
            )
            | {PARAMETERS: self.parameters}
            | ({INITIAL: self.initial.provenance()} if self.initial else {})
            | ({"history": list(self.history)} if self.history else {}),
        )
