"""Bound the work of an ONNX graph before it runs.

A graph of a few kilobytes can compute for minutes or fill the memory. The walk below computes the
shapes of all values for a batch, and counts:

- operations: the multiply-adds of convolutions and matrix products, and 16 for each number that any
  other operator reads or writes, since a processor computes about 16 multiply-adds of a matrix
  product in that time;
- numbers: all that operators write, which bounds the memory too.

Both limits grow with the pixels of the model's images and with the weights in the file, see
`limits`. `docs/deployment.md` has the shares of the limits that large published networks need.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ganzoo.errors import BundleError
from ganzoo.runtimes.onnx_file import MAX_DIMS, Node, OnnxFile, Value
from ganzoo.runtimes.onnx_numbers import evaluate
from ganzoo.runtimes.onnx_shapes import (
    MIN_DEPTH,
    OPSETS,
    RULES,
    Result,
    ShapeError,
    returns_integers,
    size,
)
from ganzoo.runtimes.signature import signature
from ganzoo.spec import ModelSpec

MAX_NODES = 10_000
USES = 2**16  # of a weight in one image; in a translator of any size, as many as it has pixels
_LARGEST = 10**300  # that is printed


def limits(pixels: int, weights: int, uses: int = USES) -> tuple[int, int]:
    """Return the largest number of operations and of numbers for each image of a batch.

    Args:
        pixels: pixels of an image.
        weights: numbers in the file. A small file cannot take much work.
        uses: how often each weight is used at most. A convolution uses it once a pixel.
    """
    return (
        2**35 + 2**21 * pixels + uses * weights,
        2**28 + 2**13 * pixels + uses * weights // 2**7,
    )


class Work:
    """The work of a graph, for batches of any size.

    Args:
        graph: the graph.
        file: its file, for messages.
        spec: the config of its bundle, which has the sizes of its inputs and images.
        role: the network's role.
    """

    def __init__(self, graph: OnnxFile, file: Path, spec: ModelSpec, role: str) -> None:
        self._nodes, self._opset, self._file = graph.nodes, graph.opset, file
        self._spec, self._role = spec, role
        self._tensors, self._weights = graph.tensors, graph.weights
        image, condition = spec.data.image, spec.data.condition
        pixels = image.height * image.width
        self._pixels = max(pixels, condition.height * condition.width if condition else 0)
        self._checked: set[tuple[int, tuple[int, int] | None]] = set()

    def check(self, n: int, size: tuple[int, int] | None = None) -> None:
        """Check that a batch is within the limits; each size of batch is computed once.

        Args:
            n: the number of images in the batch.
            size: height and width of the condition of a translator; by default those of its
                training.

        Raises:
            BundleError: the work is beyond the limits, or cannot be computed.
        """
        if (n, size) in self._checked:
            return
        try:
            self._check(n, size)
        except ShapeError as error:
            raise BundleError(
                f"{self._file} is not an ONNX file that ganzoo runs: {error}. Use "
                'runtime="torch", or get the bundle again.'
            ) from error
        self._checked.add((n, size))

    def shape_of(self, name: str) -> list[int]:
        """Return the shape of a value that an operator writes, without the batch dimension."""
        for node, (result, _) in zip(self._nodes, self._walk(1), strict=True):
            if name in node.outputs:
                return [*result.outputs[node.outputs.index(name)].shape[1:]]
        raise ShapeError(f"it has no value {name[:80]!r}")

    def peak(self) -> int:
        """Return how many numbers are in memory at once, for one image of the training's size."""
        last = {name: k for k, node in enumerate(self._nodes) for name in node.inputs}
        last |= dict.fromkeys(signature(self._spec, self._role)[1], len(self._nodes))
        live: dict[str, int] = {}
        peak = 0
        for k, (result, _) in enumerate(self._walk(1)):
            node = self._nodes[k]
            live |= {name: size(value.shape) for name, value in _outputs(node, result)}
            peak = max(peak, sum(live.values()))
            for name in (*node.inputs, *node.outputs):
                if last.get(name, k) == k:  # an output that nothing reads is freed at once
                    live.pop(name, None)
        return peak

    def _check(self, n: int, image_size: tuple[int, int] | None) -> None:
        image = self._spec.data.image
        height, width = image_size or (image.height, image.width)
        scale = self._spec.sizes.scale if self._spec.sizes else 1
        pixels = height * width * scale**2 if image_size else self._pixels
        uses = max(USES, pixels) if image_size else USES
        max_operations, max_numbers = limits(pixels, self._weights, uses)
        operations = numbers = 0
        for result, linear in self._walk(n, image_size):
            operations += max(result.operations, MIN_DEPTH * linear)
            numbers += sum(size(value.shape) for value in result.outputs)
            for work, limit, unit in (
                (operations, max_operations, "operations"),
                (numbers, max_numbers, "numbers"),
            ):
                if work > n * limit:
                    raise ShapeError(
                        f"a batch of {n:,} takes at least {min(work, _LARGEST):.2g} {unit}, and "
                        f"the limit for images of {height}x{width} and {self._weights:,} weights "
                        f"is {n * limit:.2g}"
                    )

    def _walk(
        self, n: int, image_size: tuple[int, int] | None = None
    ) -> Iterator[tuple[Result, int]]:
        """Yield each operator's result, and how many numbers it reads and writes."""
        if self._opset not in OPSETS:
            raise ShapeError(
                f"it has version {self._opset} of the ONNX operators, and ganzoo runs "
                f"{OPSETS.start} to {OPSETS.stop - 1}"
            )
        if len(self._nodes) > MAX_NODES:
            raise ShapeError(f"it has {len(self._nodes):,} operators, at most {MAX_NODES:,} run")
        values: dict[str, Value] = {}
        shapes, _ = signature(self._spec, self._role, image_size)
        inputs = [
            (name, Value((n, *shape), is_integer=name == "y")) for name, shape in shapes.items()
        ]
        for name, value in [*inputs, *self._tensors]:
            _define(values, name, value)
        for node in self._nodes:
            result = _infer(node, values)
            for name, value in _outputs(node, result):
                _define(values, name, value)
            read = sum(size(values[name].shape) for name in node.inputs if name)
            yield result, read + sum(size(value.shape) for value in result.outputs)


def _outputs(node: Node, result: Result) -> Iterator[tuple[str, Value]]:
    """Yield the outputs that a node names. It may omit some, such as the mask of a Dropout."""
    for name, value in zip(node.outputs, result.outputs, strict=False):
        if name:
            yield name, value


def _infer(node: Node, values: dict[str, Value]) -> Result:
    if node.op not in RULES:
        raise ShapeError(f"the work of its operator {node.op[:80]!r} is not known")
    try:
        inputs = [values[name] if name else None for name in node.inputs]
    except KeyError as error:
        raise ShapeError(
            f"its {node.op} reads a value that does not come before it and is no input of the "
            "network in config.json"
        ) from error
    try:
        result = RULES[node.op](node, inputs)
        if len(result.outputs) < len(node.outputs):
            raise ShapeError("has too many outputs")
        if any(len(v.shape) > MAX_DIMS or min(v.shape, default=0) < 0 for v in result.outputs):
            raise ShapeError("has an invalid shape")
        (first, *rest) = result.outputs
        if first.numbers is None:
            first = first._replace(numbers=evaluate(node, inputs, first.shape))
        first = first._replace(is_integer=returns_integers(node, inputs))
        if node.op in ("Div", "Mod") and first.is_integer and first.numbers is None:
            # onnxruntime stops the process if it divides the smallest integer by -1.
            raise ShapeError("divides integers that are not known before it runs")
    except ShapeError as error:
        raise ShapeError(f"its {node.op} {error}") from error
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise ShapeError(f"its {node.op} has inputs or attributes that do not fit") from error
    rest = [v._replace(is_integer=v.is_integer or first.is_integer) for v in rest]
    return result._replace(outputs=[first, *rest])


def _define(values: dict[str, Value], name: str, value: Value) -> None:
    if name in values:
        raise ShapeError(f"it defines {name[:80]!r} more than once")
    values[name] = value
