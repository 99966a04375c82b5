"""``unrolled train``, ``evaluate``, ``generate``, ``recipes``: the course's experiments from a terminal.

Used from chapter 2 on.
"""

import argparse
import errno
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from unrolled import __version__
from unrolled.inputs import user_path

__all__ = ["main"]

# torch is imported by the commands that need it, so that --help answers at once.

T = TypeVar("T")

_FOLDER = partial(user_path, "folder")  # the shell leaves the ~ of --folder=~/run alone
# The disk is full, broken or over its quota, or the folder cannot be written to: no fault of the run's.
_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS, errno.EACCES, errno.EPERM)
_WRITING = ("temperature", "top_k", "top_p", "beam", "max_len", "seed")


def _examples(*lines: str) -> dict[str, Any]:
    """Return the arguments that make a parser end its help with examples."""
    return {
        "epilog": "\n  ".join(["examples:", *lines]),
        "formatter_class": argparse.RawDescriptionHelpFormatter,
    }


def _add_where(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", help="cpu, cuda or cuda:0, cuda:1, … (default: a GPU if there is one)")
    parser.add_argument(
        "--data",
        type=_FOLDER,
        metavar="FOLDER",
        help="where public data sets are (default: the cache)",
    )


def _add_recipe(parser: argparse.ArgumentParser, recipe: type) -> None:
    from unrolled.training.options import add_options

    add_options(parser, recipe)
    parser.add_argument(
        "--folder",
        type=_FOLDER,
        metavar="FOLDER",
        help="the run's folder (default: runs/RECIPE-SEED)",
    )
    parser.add_argument("--resume", action="store_true", help="continue from the last checkpoint, if any")
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    _add_where(parser)


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=_FOLDER, metavar="RUN", help="a run's folder")


def _add_generate(parser: argparse.ArgumentParser) -> None:
    _add_run(parser)
    parser.add_argument(
        "prompt",
        nargs="*",
        default=[],  # without one, argparse calls the words required where RUN is missing
        metavar="PROMPT",
        help="what it begins from; without, every line of standard input is one, and gives one line",
    )
    # Only what is given comes back: a recipe refuses what it does not write with.
    add = parser.add_argument
    chosen: dict[str, Any] = {"default": argparse.SUPPRESS}
    add("--temperature", type=float, metavar="X", help="0: likeliest (default: 0)", **chosen)
    add("--top-k", type=int, metavar="N", help="draw from the N likeliest [words] (default: all)", **chosen)
    add("--top-p", type=float, metavar="X", help="draw from those with share X (default: all)", **chosen)
    add("--beam", type=int, metavar="N", help="width of beam search (default: 1)", **chosen)
    add("--max-len", type=int, metavar="N", help="most to write [tokens] (default: the model's)", **chosen)
    add("--seed", type=int, metavar="N", help="where chance starts (default: 0)", **chosen)
    _add_where(parser)


def _parse(words: Sequence[str]) -> argparse.Namespace:
    """Return what the words ask for; whatever is wrong is answered with the usage of the command itself."""
    top = argparse.ArgumentParser(
        prog="unrolled",
        description="Train, measure and question the models of the course.",
        **_examples(
            "unrolled recipes",
            "unrolled train reversal",
            "unrolled evaluate runs/reversal-0",
            "unrolled generate runs/reversal-0 a b c",
        ),
    )
    top.add_argument("--version", action="version", version=f"unrolled {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("recipes", help="list the experiments there are", **_examples("unrolled recipes"))
    train = commands.add_parser(
        "train",
        help="train a recipe",
        description="Train a recipe. On several processes: torchrun --nproc_per_node=N -m unrolled train …",
        **_examples(
            "unrolled train reversal",
            "unrolled train reversal --help",
            "unrolled train bears --steps 300 --seed 1 --folder runs/try",
        ),
    )
    evaluate = commands.add_parser(
        "evaluate",
        help="measure a trained model again",
        description="Measure the model of a finished run again, and say which figures have moved.",
        **_examples("unrolled evaluate runs/reversal-0", "unrolled evaluate runs/multi30k-0 --data ~/data"),
    )
    _add_run(evaluate)
    evaluate.add_argument("--recipe", metavar="RECIPE", help="refuse the run of another recipe")
    _add_where(evaluate)
    generate = commands.add_parser(
        "generate",
        help="let a trained model write",
        description="Let the model of a finished run write.",
        **_examples(
            "unrolled generate runs/reversal-0 a b c",
            "unrolled generate runs/gpt-0 'To be' --temperature 0.8 --seed 3",
            "unrolled generate runs/spanish-0 --beam 3 < sentences.txt > translations.txt",
        ),
    )
    _add_generate(generate)
    command, rest = (words[0], list(words[1:])) if words else ("", [])
    if command not in commands.choices:
        return top.parse_args(words)
    parser: argparse.ArgumentParser = commands.choices[command]
    given = argparse.Namespace(command=command)
    if command == "train":
        # Recipes bring torch with them, so they are asked only when training is what is wanted.
        from unrolled.training.recipes import recipes

        known = train.add_subparsers(dest="recipe", required=True, metavar="RECIPE")
        for name, recipe in recipes().items():
            _add_recipe(
                known.add_parser(
                    name,
                    help=recipe.about,
                    description=f"{name}: {recipe.about}.",
                    **_examples(
                        f"unrolled train {name}",
                        f"unrolled train {name} --steps {max(recipe.steps // 4, 1)} --folder runs/short",
                        f"unrolled train {name} --resume",
                    ),
                ),
                recipe,
            )
        if not rest or rest[0] not in known.choices:
            return train.parse_args(rest, given)
        parser, given.recipe, rest = known.choices[rest[0]], rest[0], rest[1:]
    # Intermixed: an option may stand before, between or behind the words of a prompt.
    return parser.parse_intermixed_args(rest, given)


def _made(make: Callable[..., T], given: Mapping[str, Any]) -> T:
    """Return `make(**given)`; an error that begins with a name names the option instead."""
    try:
        return make(**given)
    except ValueError as error:
        name, colon, rest = str(error).partition(":")
        if name not in given:
            raise
        raise ValueError(f"{_flag(name)}{colon}{rest}") from error


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _figures(figures: Mapping[str, float], legend: Mapping[str, str]) -> str:
    """Return the figures, one a line, and below them what they mean."""
    width = max(map(len, figures), default=0)
    lines = [f"{name:<{width}}  {value:.4f}" for name, value in figures.items()]
    meant = {
        pattern: meaning
        for pattern, meaning in legend.items()
        if any(fnmatchcase(name, pattern) for name in figures)
    }
    width = max(map(len, meant), default=0)
    return "\n".join([*lines, "", *(f"{pattern:<{width}}  {meaning}" for pattern, meaning in meant.items())])


def _train(arguments: argparse.Namespace) -> None:
    from unrolled.training.checkpoint import newest_step
    from unrolled.training.distributed import workers
    from unrolled.training.recipes import recipes
    from unrolled.training.run import run_recipe

    options = vars(arguments).copy()
    names = ("command", "recipe", "folder", "resume", "quiet", "device", "data")
    _, name, folder, resume, quiet, device, data = (options.pop(key) for key in names)
    recipe = _made(recipes()[name], options)
    if unused := {option: why for option, why in recipe.unused().items() if option in options}:
        raise ValueError("; ".join(f"{_flag(option)} is not used {why}" for option, why in unused.items()))
    folder = Path("runs", f"{name}-{recipe.seed}") if folder is None else folder
    with workers(device) as together:
        if together.first and recipe.lr == 0:
            _say("--lr 0: no step changes the weights, and the model stays as it was drawn")
        try:
            metrics = run_recipe(recipe, folder, together, resume=resume, data=data, quiet=quiet)
        except (KeyboardInterrupt, OSError) as stop:
            if isinstance(stop, OSError) and stop.errno not in _DISK:
                raise
            step = newest_step(folder / "checkpoints")
            said = "no checkpoint had been saved" if step is None else f"--resume continues from step {step}"
            if isinstance(stop, OSError):
                raise OSError(f"{stop}; {said}") from stop
            raise KeyboardInterrupt(said) from None
        if together.first:
            print(_figures(metrics["metrics"], recipe.legend))
            cpu = metrics["seconds"]["cpu"]
            print(f"\n{metrics['parameters']:,} parameters, {cpu:.0f} CPU-seconds: {folder}")


def _evaluate(arguments: argparse.Namespace) -> None:
    from unrolled.training.distributed import choose_device
    from unrolled.training.run import RunError, evaluate_task, open_run

    run = open_run(arguments.run, choose_device(arguments.device), arguments.data)
    if arguments.recipe not in (None, run.recipe.name):
        raise RunError(f"{arguments.run} holds a run of {run.recipe.name!r}, not of {arguments.recipe!r}")
    figures = evaluate_task(run.task, run.recipe)
    print(_figures(figures, run.recipe.legend))
    before = run.metrics["metrics"]
    moved = {name: (before.get(name), value) for name, value in figures.items() if before.get(name) != value}
    for name, (then, now) in moved.items():
        print(f"{name}: metrics.json says {json.dumps(then)}, now {now}", file=sys.stderr)


def _generate(arguments: argparse.Namespace) -> int:
    from unrolled.training.distributed import choose_device
    from unrolled.training.run import RunError, open_run
    from unrolled.training.task import GenerateOptions, Writer

    given = {name: value for name, value in vars(arguments).items() if name in _WRITING}
    options = _made(GenerateOptions, given)
    run = open_run(arguments.run, choose_device(arguments.device), arguments.data)
    task = run.task
    if not isinstance(task, Writer):
        raise RunError(f"{arguments.run}: the recipe {run.recipe.name!r} has nothing to write")
    if unused := sorted(set(given) - set(task.writes_with)):
        used = ", ".join(map(_flag, task.writes_with)) or "none of these options"
        raise RunError(
            f"{', '.join(map(_flag, unused))}: the recipe {run.recipe.name!r} does not write with that: "
            f"it takes {used}"
        )

    def write(prompt: str) -> str:
        return task.write(task.model, prompt, options)

    if arguments.prompt:
        print(write(" ".join(arguments.prompt)))
        return 0
    return _write_lines(write, _lines(sys.stdin))


def _lines(stream: Any) -> Iterator[str]:
    """Yield the lines of a stream; what no encoding explains becomes a character that no model knows."""
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="replace")
    # Windows marks the beginning of a file of UTF-8 with a character that is not part of the text.
    return (line.lstrip("\ufeff").strip() for line in stream)


def _write_lines(write: Callable[[str], str], lines: Iterable[str]) -> int:
    r"""Print one line for each line, an empty one for what is empty or cannot be answered.

    A line feed within what is written comes out as the two characters ``\n``.
    """
    wrong = 0
    for number, line in enumerate(lines, 1):
        written = ""
        try:
            written = write(line) if line else ""
        except ValueError as error:
            wrong += 1
            _say(f"line {number}: {error}")
        print(written.replace("\n", r"\n"), flush=True)
    return 1 if wrong else 0


def _recipes(arguments: argparse.Namespace) -> None:
    from unrolled.training.recipes import recipes

    known = recipes()
    width = max(map(len, known))
    for name, recipe in known.items():
        print(f"{name:<{width}}  {recipe.about}")


_COMMANDS: dict[str, Callable[[argparse.Namespace], int | None]] = {
    "train": _train,
    "evaluate": _evaluate,
    "generate": _generate,
    "recipes": _recipes,
}


def _say(text: str) -> None:
    print(f"unrolled: {text}", file=sys.stderr, flush=True)


def _explained(error: Exception) -> str | None:
    """Return the one line that explains an error that is not the program's fault; None for one that is."""
    from unrolled.data.fetch import DataError

    if isinstance(error, DataError):
        return f"{error} (from here, folder= is --data FOLDER)"
    if isinstance(error, ValueError | OSError | ArithmeticError | ImportError):
        return str(error)
    if type(error).__name__ == "OutOfMemoryError":  # torch's: a class of a library that may not be loaded
        return f"the memory is full: try a smaller --batch, or --accumulate ({str(error).splitlines()[0]})"
    return None


def _run(words: Sequence[str]) -> int:
    try:
        parsed = _parse(words)
        return _COMMANDS[parsed.command](parsed) or 0
    except BrokenPipeError:  # whoever read has read enough, as `| head -1` does
        return 0
    except KeyboardInterrupt as stop:
        _say(f"stopped; {stop}" if str(stop) else "stopped")
        return 130
    except Exception as error:
        if (explanation := _explained(error)) is None:
            raise
        _say(" ".join(explanation.split("\n")))
        return 1


def _let_go(stream: Any) -> None:
    """Write out what is left; where nobody reads any more, keep Python from trying again at its end."""
    try:
        stream.flush()
    except BrokenPipeError:
        with Path(os.devnull).open("w") as nothing, suppress(OSError):
            os.dup2(nothing.fileno(), stream.fileno())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return 0, 1 after an error that has been explained, 130 when interrupted."""
    # Before torch loads: OpenMP's waiting threads spin by default, and starve others where a core is busy.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        return _run(list(sys.argv[1:] if arguments is None else arguments))
    finally:
        _let_go(sys.stdout)
        _let_go(sys.stderr)
