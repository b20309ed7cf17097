"""The command line: ``ganzoo COMMAND``."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from ganzoo.errors import GanzooError, SampleError, missing_extra

if TYPE_CHECKING:
    from ganzoo.generator import Generator

Text = tyro.conf.Positional[str]
Folder = tyro.conf.Positional[Path]
Output = Annotated[Path, tyro.conf.arg(aliases=["-o"])]
MaybeOutput = Annotated[Path | None, tyro.conf.arg(aliases=["-o"])]


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status: 0, or 1 after an error, or 130 when stopped."""
    args = list(sys.argv[1:] if argv is None else argv)
    warnings.showwarning = _show_warning
    try:
        if args[:1] == ["train"]:
            return _train(args[1:])
        if args[:1] == ["--version"]:
            print(f"ganzoo {metadata.version('torch-ganzoo')}")
            return 0
        tyro.extras.subcommand_cli_from_dict(
            {
                "list": list_,
                "info": info,
                "sample": sample,
                "translate": translate,
                "train": train,
                "export": export,
                "plugins": plugins,
                "quickstart": quickstart,
            },
            args=args or ["--help"],
            prog="ganzoo",
            description="A plugin-based model zoo for generative adversarial networks.",
            config=(tyro.conf.FlagCreatePairsOff,),
        )
    except GanzooError as error:
        print(f"error{_of_rank()}: {error}", file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        print(f"error: {missing_extra('this command', error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def list_(
    pattern: Text = "*",
    /,
    kind: Literal["all", "models", "recipes", "architectures", "losses", "datasets"] = "all",
) -> None:
    """List what is installed, from metadata alone.

    Args:
        pattern: a wildcard such as 'dcgan-*'.
        kind: list one kind only.
    """
    from ganzoo.registry import REGISTRIES

    for registry in REGISTRIES:
        plural = registry.group.removeprefix("ganzoo.")
        if kind not in ("all", plural):
            continue
        entries = registry.entries(pattern)
        print(f"{plural}{'' if entries else '  (none)'}")
        for entry in entries:
            print(f"  {entry.name:<24} {entry.distribution} {entry.version}")


def info(name: Text, /) -> None:
    """Show what a model is and where it comes from.

    Args:
        name: a model's name, ./folder or hf://org/repo.
    """
    from ganzoo import zoo

    spec = zoo.info(name)
    made = spec.provenance
    arguments = ", ".join(f"{k}={v}" for k, v in spec.arguments.items())
    rows: dict[str, Any] = {
        "architecture": f"{spec.architecture}({arguments})",
        "image": spec.data.image,
        "reads": ", ".join(spec.inputs),
        "latent": f"{spec.latent.dim} x N(0, 1)" if spec.latent else "none",
        "classes": spec.data.classes,
        "networks": ", ".join(spec.roles),
        "data": spec.data.source,
        "licence": spec.data.license or "not recorded",
        "needs": ", ".join(spec.requires) or "nothing but ganzoo",
    } | {
        key.replace("_", " "): value
        for key, value in made.items()
        if key not in ("recipe", "data") and not isinstance(value, dict)
    }
    for part in ("versions", "plugins", *filter(_is_parity, made)):
        if isinstance(made.get(part), dict):
            rows[part.replace("_", " ")] = ", ".join(
                f"{k.replace('_', ' ')} {_brief(v)}" for k, v in made[part].items()
            )
    print(spec.name)
    for key, value in rows.items():
        print(f"  {key:<14} {value}")


def _is_parity(key: str) -> bool:
    """Whether a field of the provenance says how far the runtimes differ on a network."""
    return key.endswith("parity")


def sample(
    name: Text,
    /,
    n: Annotated[int, tyro.conf.arg(name="n", aliases=["-n"])] = 64,
    seed: int = 0,
    output: MaybeOutput = None,
    out: Path | None = None,
    shard_size: int | None = None,
    label: str | None = None,
    runtime: Literal["torch", "onnx"] | None = None,
) -> None:
    """Make images and save them as one grid, or with --out as shards of PNGs.

    torchrun --nproc-per-node N -m ganzoo sample NAME -n 1000000 --out DIR shares the shards out.

    Args:
        name: a model's name, ./folder or hf://org/repo.
        n: number of images.
        seed: image k of a seed is always the same one.
        output: the picture to write; by default grid.png.
        out: a folder to write tar shards of PNGs to instead; the same command again goes on.
        shard_size: images in a shard of --out; by default 10,000.
        label: a class's number or name, for models with classes; by default all in turn.
        runtime: torch or onnx; by default torch where it is installed.
    """
    from ganzoo import zoo
    from ganzoo.generator import Generator

    if out and output:
        raise SampleError(
            f"-o {output} asks for one picture, --out {out} for a folder of shards: type one."
        )
    if shard_size is not None and not out:
        raise SampleError("--shard-size is the size of the shards of --out: add --out DIR.")
    model = zoo.load(name, runtime=runtime)
    if not isinstance(model, Generator):
        raise SampleError(
            f"{name} makes images out of images: ganzoo translate {name} PICTURE ... -o OUT"
        )
    if out:
        _sample_to(model, out, n, seed, label, shard_size)
        return
    images = model.sample(n, seed, label=label)
    print(f"{images.save(output or Path('grid.png'))}: {n} images of seed {seed}")


def _sample_to(
    model: Generator, out: Path, n: int, seed: int, label: str | None, shard_size: int | None
) -> None:
    from ganzoo.shards import SHARD_SIZE, Process, sample_to

    process = Process.of_environment()
    model.accelerate(process.local_rank)
    size = SHARD_SIZE if shard_size is None else shard_size
    made = sample_to(
        model, out, n, seed, label=label, shard_size=size, process=process, progress=True
    )
    if made.ended_it:
        print(f"{out}: {n:,} images of seed {seed}, {made.images_per_second:,.0f} images/s")
    elif made.whole and not process.rank:
        print(f"{out}: {n:,} images of seed {seed}, all there already")


def translate(
    name: Text,
    pictures: tyro.conf.Positional[tuple[Path, ...]],
    /,
    seed: int = 0,
    output: Output = Path("translated.png"),
    runtime: Literal["torch", "onnx"] | None = None,
) -> None:
    """Make images out of pictures, and save the pictures and what became of them as one grid.

    Args:
        name: a model's name, ./folder or hf://org/repo.
        pictures: files; the short side is resized and the middle cut out.
        seed: of the latents, where the model reads any.
        output: the picture to write.
        runtime: torch or onnx; by default torch where it is installed.
    """
    from ganzoo import zoo
    from ganzoo.generator import Translator
    from ganzoo.images import ImageBatch

    model = zoo.load(name, runtime=runtime)
    if not isinstance(model, Translator):
        raise SampleError(f"{name} makes images out of nothing: ganzoo sample {name} -o {output}")
    sources = ImageBatch.open(pictures, model.source)
    both = ImageBatch.rows(sources, model.translate(sources, seed), columns=len(sources))
    count = "1 picture" if len(sources) == 1 else f"{len(sources)} pictures"
    print(f"{both.save(output)}: {count} translated")


def train(recipe: Text = "RECIPE", /) -> None:
    """Train a recipe: 'ganzoo train RECIPE --help' shows its options.

    Args:
        recipe: a recipe's name ('ganzoo list --kind recipes') or a TOML file.
    """
    raise AssertionError("`main` runs this command: its options follow from its arguments")


_TRAIN_USAGE = """\
usage: ganzoo train RECIPE [OPTIONS]            start a run
       ganzoo train RECIPE --help               show the options of a recipe
       ganzoo train RECIPE --dry-run            say what would be done
       ganzoo train --resume DIR [OPTIONS]      continue a run: --data, --device, --max-time

RECIPE is a name or a TOML file. Every field of it is an option, such as
  --architecture mlp --architecture.width 256 --loss wgan-gp --dataset digits
  --images 20000 --batch-size 32 --optimizer.lr 1e-4 --data DIR --out DIR

recipes: """


def _train(args: list[str]) -> int:
    if not args or args[0] in ("-h", "--help"):
        from ganzoo.registry import recipes

        print(_TRAIN_USAGE + ", ".join(recipes.names()))
        return 0
    resuming = any(arg == "--resume" or arg.startswith("--resume=") for arg in args)
    if resuming and not args[0].startswith("-"):
        print("error: a run goes on by its own recipe: ganzoo train --resume DIR", file=sys.stderr)
        return 2
    if resuming:
        return _report_run(*tyro.cli(_resume, args=args, prog="ganzoo train"))
    if args[0].startswith("-"):
        print(f"error: name the recipe first: ganzoo train RECIPE {args[0]} ...", file=sys.stderr)
        return 2
    from ganzoo.options import parse_recipe

    recipe, options = parse_recipe(args, "ganzoo train")
    from ganzoo import training

    if options.dry_run:
        with training.join() as group:
            prepared = training.prepare(
                recipe, data=options.data, device=options.device, group=group
            )
            if group.first:
                print(f"{training.plan(prepared)}\n\n{prepared.recipe.to_toml()}", end="")
        return 0
    run = training.train(
        recipe,
        data=options.data,
        out=options.out,
        device=options.device,
        max_time=options.max_time,
    )
    return _report_run(run, recipe.images)


def _resume(
    resume: Path,
    data: Path | None = None,
    device: str | None = None,
    max_time: str | None = None,
) -> tuple[Any, int]:
    """Continue a run from its newest checkpoint.

    Args:
        resume: the run's folder.
        data: where the dataset lies now; by default where it lay.
        device: cpu or cuda; by default cuda where there is a GPU.
        max_time: stop and save after so long, such as 3h, 90m or 1h30m.
    """
    from ganzoo import training
    from ganzoo.spec import Recipe

    run = training.resume(resume, data=data, device=device, max_time=max_time)
    return run, Recipe.from_toml(run.path / "recipe.toml").images


def _of_rank() -> str:
    """Which of several processes that torchrun started this is."""
    return f" (rank {os.environ['RANK']})" if "RANK" in os.environ else ""


def _report_run(run: Any, images: int) -> int:
    if os.environ.get("RANK", "0") != "0":
        return 0
    if not run.finished:
        why = "time is up" if run.ended == "time" else "stopped"
        print(
            f"{why} after {run.images_seen:,} of {images:,} images, all saved. Continue with\n"
            f"  ganzoo train --resume {run.path}",
            file=sys.stderr,
        )
        return 0 if run.ended == "time" else 130
    print(
        f"trained on {run.images_seen:,} images: {run.path}\n"
        f"  samples   {run.path / 'samples'}\n"
        f"  model     {run.bundle}\n"
        f"next: ganzoo export {run.path}"
    )
    return 0


def export(run: Folder, /, output: MaybeOutput = None, half: bool = False) -> None:
    """Write a run's generator as safetensors, ONNX, config and card in one folder.

    Args:
        run: a run's folder, or a bundle's.
        output: the folder to write; by default the bundle inside the run.
        half: store weights as float16: half the size, still computed with in float32.
    """
    from ganzoo import exporters, zoo

    path = exporters.export(run, output, half=half)
    spec = zoo.info(path)
    command = "translate" if "source" in spec.inputs else "sample"
    print(path)
    for key in filter(_is_parity, spec.provenance):
        role, parity = key.removesuffix("parity").strip("_") or "generator", spec.provenance[key]
        print(
            f"  {role}: torch and onnxruntime differ by at most {parity['max_abs_error']:.1e} "
            f"(allowed {parity['tolerance']:.1e})"
        )
    print(
        f"next: ganzoo {command} {_as_folder(path)}{' PICTURE ...' * (command == 'translate')} "
        "--runtime onnx"
    )


def plugins() -> None:
    """Show the installed distributions that add to ganzoo, and what each adds."""
    from ganzoo.registry import REGISTRIES, SWITCH

    found: dict[str, dict[str, list[str]]] = {}
    for registry in REGISTRIES:
        for entry in registry.entries():
            kinds = found.setdefault(f"{entry.distribution} {entry.version}", {})
            kinds.setdefault(registry.group.removeprefix("ganzoo."), []).append(entry.name)
    for distribution, kinds in sorted(found.items()):
        print(distribution)
        for plural, names in kinds.items():
            print(f"  {plural:<14} {', '.join(names)}")
    if SWITCH in os.environ:
        print(f"{SWITCH}={os.environ[SWITCH]} admits those it lists, beside ganzoo's own.")


def quickstart(output: Output = Path("demo")) -> None:
    """See it work in about two minutes: load, train, export, run.

    Args:
        output: folder for what it makes; a number is added where it exists.
    """
    from ganzoo.quickstart import run

    run(output)


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    print(f"warning: {message}", file=sys.stderr)


def _brief(value: Any) -> str:
    match value:
        case float():
            return f"{value:.2g}"
        case list():
            return " and ".join(map(str, value))
    return str(value)


def _as_folder(path: Path) -> str:
    text = str(path)
    return text if path.is_absolute() or text.startswith(".") else f"./{text}"
