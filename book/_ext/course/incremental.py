"""Read and write only what is out of date, told by content and not by the dates of files.

Three things are remembered of the last build that ended without a warning: a digest of what every page
depends on (the templates, this extension, the tools, the packages, the list of contents, the sources), one of
what pages know of each other (titles, numbers, labels, citations), and one of each page. When the first
differs all pages are read and written, when the second does all are written. A build that fails or warns
leaves nothing behind, so the next one reads everything and says everything again.

Editions differ in what they write and not in what they read. What was read is theirs together: the first of
the three is kept once for all of them, beside the environment, and the three for each edition's own pages.
"""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from tools import address
from tools.dependencies import digest, environment_digest
from tools.run_times import TIMES
from tools.words import WORDS

from .execution import run_stale
from .glossary import places, terms
from .reference import is_reference, sources
from .sharing import days

# What of the repository is in every page, or may be.
_GROUND = (
    "book/_config.yml",
    "book/_toc.yml",
    WORDS,
    "book/references.bib",
    "book/_ext/**/*.py",
    "book/_templates/**/*",
    "book/_assets/**/*",
    "tools/**/*.py",
    "src/unrolled/widgets/**/*",
    "pyproject.toml",
    TIMES,
)

# The file that says what the environment was read under.
_READ = "read.json"

# What these know is said above, or in no page but their own.
_SILENT = {"cite", "changeset", "index"}


_BUILDS: dict[Sphinx, "_Build"] = {}


class _Build:
    """One build: what the last one left, and what this one will leave."""

    def __init__(self, app: Sphinx) -> None:
        # They come back when all has gone well.
        self.state = Path(app.doctreedir) / f"{Path(app.outdir).name}.json"
        self.before = _taken(self.state)
        self.read = Path(app.doctreedir) / _READ
        self.ground = {"read": ground(app), "edition": app.config.course_edition}
        self.holds = _taken(self.read).get("ground") == self.ground["read"]
        """Whether the environment holds what this build would read, but for pages that have changed."""
        self.pages: dict[str, str] = {}
        self.shared = ""
        self.written: set[str] = set()

    @property
    def starts_afresh(self) -> bool:
        return bool(self.before.get("ground") != self.ground)


def _taken(path: Path) -> dict[str, Any]:
    """Return what a file says, and remove it."""
    if not path.exists():
        return {}
    said: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    path.unlink()
    return said


def ground(app: Sphinx) -> str:
    """Return a digest of what every page depends on."""
    root = Path(app.srcdir).parent
    files = sorted({path for pattern in _GROUND for path in _files(root, pattern)})
    notebooks = sorted(path.name for path in (root / "notebooks").glob("*.ipynb"))
    return digest(
        environment_digest(root),
        address.repository(),
        # A build that does not look for every reference passes where another would not.
        f"{app.builder.name} {app.config.nitpicky}",
        *notebooks,
        *(part for path in files for part in (path.relative_to(root).as_posix(), path.read_bytes())),
    )


def _files(root: Path, pattern: str) -> Iterable[Path]:
    if "*" not in pattern:
        return [root / pattern] if (root / pattern).exists() else []
    # The sample of the tests links to folders of the real book, and glob would not look behind a link.
    folder, _, name = pattern.rpartition("/**/")
    return (path for path in (root / folder).rglob(name) if path.is_file() and path.suffix != ".pyc")


def shared(env: BuildEnvironment) -> str:
    """Return a digest of what a page can know of the others."""
    exercises = getattr(env, "sphinx_exercise_registry", {})
    sources: Any = env.get_domain("cite")
    citations = [
        (
            citation.citation_id,
            citation.key,
            str(citation.formatted_entry.label),
            citation.formatted_entry.key,
        )
        for citation in sources.citations
    ]
    domains = {name: domain.data for name, domain in env.domains.items() if name not in _SILENT}
    known = {
        "titles": [env.titles, env.longtitles, env.toctree_includes],
        "slugs": {page: _slugs(metadata) for page, metadata in env.metadata.items()},
        "numbers": [env.toc_secnumbers, env.toc_fignumbers],
        "exercises": {label: _heading(found) for label, found in exercises.items()},
        "citations": citations,
        "domains": domains,
        "glossary": [terms(env), places(env)],
    }
    return digest(json.dumps(_plain(known)))


def _slugs(metadata: dict[str, Any]) -> list[Any]:
    """Return what a link to a heading needs: the first number of each is its line."""
    return [(name, anchor, text) for name, (_, anchor, text) in metadata.get("myst_slugs", {}).items()]


def _heading(exercise: dict[str, Any]) -> list[Any]:
    """Return what is said of an exercise elsewhere: all but its text."""
    node = exercise["node"]
    return [
        _plain({k: v for k, v in exercise.items() if k != "node"}),
        str(node.get("label")),
        _plain(node[0]),
    ]


def _plain(value: Any) -> Any:
    """Return `value` in lists and texts that are equal when it is, wherever in the file it stands."""
    if isinstance(value, nodes.Node):
        return value.pformat()
    if isinstance(value, dict):
        return sorted(([str(key), _plain(item)] for key, item in value.items()), key=lambda pair: pair[0])
    if isinstance(value, set | frozenset):
        return sorted(str(item) for item in value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return _plain(vars(value)) if hasattr(value, "__dict__") else str(value)


def begin(app: Sphinx) -> None:
    """Remember what the last build left."""
    _BUILDS[app] = _Build(app)


def outdated(
    app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]
) -> list[str]:
    """Run the chapters that are out of date; return the pages to read again."""
    build = _BUILDS[app]
    stamps = run_stale(app, env)
    docstrings = sources(Path(app.srcdir).parent)
    for page in env.found_docs:
        text = Path(env.doc2path(page)).read_text(encoding="utf-8")
        # The page says when it was last changed, which a commit alters and its text does not.
        build.pages[page] = digest(
            text, stamps.get(page, ""), days(app).get(page, ""), docstrings if is_reference(text) else ""
        )
    if not build.holds:
        # What the environment holds may come from another builder, or from a build that failed.
        return sorted(env.found_docs)
    held = getattr(env, "course_pages", {})
    return [page for page, now in sorted(build.pages.items()) if held.get(page) != now]


def note(app: Sphinx, doctree: nodes.document) -> None:
    """Note in the environment which state of the page it holds."""
    env: Any = app.env
    if not hasattr(env, "course_pages"):
        env.course_pages = {}
    env.course_pages[env.docname] = _BUILDS[app].pages[env.docname]
    _BUILDS[app].written.add(env.docname)


def in_order(app: Sphinx, env: BuildEnvironment) -> None:
    """Put the lists of sources in the order of their pages: one that was read again stands at the end."""
    domain: Any = env.get_domain("cite")
    listed = domain.bibliographies
    ordered = sorted(listed.items(), key=lambda pair: (pair[0].docname, pair[0].id_))
    listed.clear()
    listed.update(ordered)


def to_write(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Return the pages to write beside those that were read."""
    build = _BUILDS[app]
    build.shared = shared(env)
    pages = _to_write(app, env, build)
    build.written.update(pages)
    return pages


def _to_write(app: Sphinx, env: BuildEnvironment, build: _Build) -> list[str]:
    if build.starts_afresh or build.before.get("shared") != build.shared:
        # Nothing of an older state stays, such as the page of a chapter that is gone.
        for path in Path(app.outdir).iterdir() if Path(app.outdir).is_dir() else ():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        return sorted(env.found_docs)
    # Never none: Sphinx would leave out the steps between reading and writing.
    before = build.before["pages"]
    # Another edition may have read what this one has not written yet.
    changed = {page for page, now in build.pages.items() if before.get(page) != now}
    return sorted({app.config.root_doc, *changed})


def written(app: Sphinx) -> set[str]:
    """Return the pages that this build makes anew; the others are as they were, and what belongs to them."""
    return _BUILDS[app].written


def end(app: Sphinx, error: Exception | None) -> None:
    """Remember this build if nothing was wrong with it."""
    build = _BUILDS[app]
    if error is None and not app._warncount:
        left = {
            "ground": build.ground,
            "shared": build.shared,
            "pages": build.pages,
        }
        build.state.write_text(json.dumps(left, sort_keys=True), encoding="utf-8")
        build.read.write_text(json.dumps({"ground": build.ground["read"]}), encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Stand before and behind every step of Sphinx that decides what to do."""
    app.connect("builder-inited", begin)
    app.connect("env-get-outdated", outdated)
    app.connect("doctree-read", note)
    app.connect("env-updated", in_order, priority=100)
    app.connect("env-get-updated", to_write, priority=900)
    app.connect("build-finished", end, priority=990)
