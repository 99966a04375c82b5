"""``unrolled train``, ``evaluate``, ``generate``, ``recipes``: the course's experiments from a terminal."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

__all__ = ["main"]

# torch is imported by the commands that need it, so that --help answers at once.


def _add_where(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", help="cpu, cuda or cuda:0, cuda:1, … (default: a GPU if there is one)")
    parser.add_argument(
        "--data", type=Path, metavar="FOLDER", help="where public data sets are (default: the cache)"
    )


def _parser(command: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="unrolled", description="Train, measure and question the models of Attention, Unrolled."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("recipes", help="list the experiments there are")

    train = commands.add_parser(
        "train",
        help="train a recipe",
        description="Train a recipe. On several processes: torchrun --nproc_per_node=N -m unrolled train …",
    )
    # Recipes bring torch with them, so they are asked only when training is what is wanted.
    if command == "train":
        from unrolled.training.options import add_options
        from unrolled.training.recipes import recipes

        known = train.add_subparsers(dest="recipe", required=True, metavar="RECIPE")
        for name, recipe in recipes().items():
            one = known.add_parser(name, help=recipe.about, description=f"{name}: {recipe.about}.")
            add_options(one, recipe)
            one.add_argument(
                "--folder", type=Path, metavar="FOLDER", help="the run's folder (default: runs/RECIPE-SEED)"
            )
            one.add_argument(
                "--resume", action="store_true", help="continue from the last checkpoint, if any"
            )
            one.add_argument("--quiet", action="store_true", help="show no progress")
            _add_where(one)

    evaluate = commands.add_parser("evaluate", help="measure a trained model again")
    evaluate.add_argument("run", type=Path, metavar="FOLDER", help="a run's folder")
    evaluate.add_argument("--recipe", metavar="RECIPE", help="refuse the run of another recipe")
    _add_where(evaluate)

    generate = commands.add_parser("generate", help="let a trained model write")
    generate.add_argument("run", type=Path, metavar="FOLDER", help="a run's folder")
    generate.add_argument(
        "prompt", nargs="*", help="what it begins from; lines of standard input unless given"
    )
    generate.add_argument(
        "--temperature", type=float, default=0.0, metavar="X", help="0: likeliest (default: 0)"
    )
    generate.add_argument(
        "--top-k", type=int, metavar="N", help="draw from the N likeliest [words] (default: all)"
    )
    generate.add_argument(
        "--top-p", type=float, metavar="X", help="draw from those with share X (default: all)"
    )
    generate.add_argument(
        "--beam", type=int, default=1, metavar="N", help="width of beam search (default: 1)"
    )
    generate.add_argument(
        "--max-len", type=int, metavar="N", help="most to write [tokens] (default: the model's)"
    )
    generate.add_argument("--seed", type=int, default=0, metavar="N", help="where chance starts (default: 0)")
    _add_where(generate)
    return parser


def _figures(metrics: dict[str, float]) -> str:
    width = max(map(len, metrics), default=0)
    return "\n".join(f"{name:<{width}}  {value:.4f}" for name, value in metrics.items())


def _train(arguments: argparse.Namespace) -> None:
    from unrolled.training.distributed import workers
    from unrolled.training.recipes import recipes
    from unrolled.training.run import run_recipe

    options = vars(arguments).copy()
    names = ("command", "recipe", "folder", "resume", "quiet", "device", "data")
    _, name, folder, resume, quiet, device, data = (options.pop(key) for key in names)
    recipe = recipes()[name](**options)
    folder = Path("runs", f"{name}-{recipe.seed}") if folder is None else folder
    with workers(device) as together:
        metrics = run_recipe(recipe, folder, together, resume=resume, data=data, quiet=quiet)
        if together.first:
            print(_figures(metrics["metrics"]))
            print(
                f"{metrics['parameters']:,} parameters, {metrics['seconds']['cpu']:.0f} CPU-seconds: {folder}"
            )


def _evaluate(arguments: argparse.Namespace) -> None:
    from unrolled.training.distributed import choose_device
    from unrolled.training.run import RunError, evaluate_task, open_run

    run = open_run(arguments.run, choose_device(arguments.device), arguments.data)
    if arguments.recipe not in (None, run.recipe.name):
        raise RunError(f"{arguments.run} holds a run of {run.recipe.name!r}, not of {arguments.recipe!r}")
    figures = evaluate_task(run.task, run.recipe)
    print(_figures(figures))
    before = run.metrics["metrics"]
    moved = {name: (before.get(name), value) for name, value in figures.items() if before.get(name) != value}
    for name, (then, now) in moved.items():
        print(f"{name}: metrics.json says {json.dumps(then)}, now {now}", file=sys.stderr)


def _generate(arguments: argparse.Namespace) -> None:
    from unrolled.training.distributed import choose_device
    from unrolled.training.run import RunError, open_run
    from unrolled.training.task import GenerateOptions, Writer

    run = open_run(arguments.run, choose_device(arguments.device), arguments.data)
    if not isinstance(run.task, Writer):
        raise RunError(f"{arguments.run}: the recipe {run.recipe.name!r} has nothing to write")
    names = ("temperature", "top_k", "top_p", "beam", "max_len", "seed")
    options = GenerateOptions(**{name: getattr(arguments, name) for name in names})
    prompts = [" ".join(arguments.prompt)] if arguments.prompt else map(str.strip, sys.stdin)
    for prompt in prompts:
        print(run.task.write(run.task.model, prompt, options), flush=True)


def _recipes(arguments: argparse.Namespace) -> None:
    from unrolled.training.recipes import recipes

    known = recipes()
    width = max(map(len, known))
    for name, recipe in known.items():
        print(f"{name:<{width}}  {recipe.about}")


_COMMANDS: dict[str, Any] = {
    "train": _train,
    "evaluate": _evaluate,
    "generate": _generate,
    "recipes": _recipes,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return 0, 1 after an error that has been explained, 130 when interrupted."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    parser = _parser(words[0] if words else None)
    parsed = parser.parse_args(words)
    try:
        _COMMANDS[parsed.command](parsed)
    except (ValueError, OSError, FloatingPointError) as error:
        print(f"unrolled: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("unrolled: stopped; --resume continues from the last checkpoint", file=sys.stderr)
        return 130
    return 0
