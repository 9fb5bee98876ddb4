"""The public names, what importing them costs, and which way the modules' imports point."""

from __future__ import annotations

import ast
import dataclasses
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT

import assistant
from assistant import errors, records

PACKAGE = ROOT / "assistant"
HEAVY = (
    "torch",
    "transformers",
    "sentence_transformers",
    "chromadb",
    "langchain",
    "gradio",
    "fastapi",
    "numpy",
    "sqlalchemy",
)


def test_the_public_names_are_sorted_and_complete() -> None:
    assert assistant.__all__ == sorted(assistant.__all__) == dir(assistant)
    public = {"Assistant", "Corpus", "Settings", "ask"}
    public |= {name for name, kind in vars(records).items() if dataclasses.is_dataclass(kind)}
    public |= {name for name in ("Audience", "Outcome", "Turn")}
    public |= {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Exception)}
    assert set(assistant.__all__) == public


@pytest.mark.parametrize("name", assistant.__all__)
def test_every_public_name_is_there_and_says_what_it_is(name: str) -> None:
    found = getattr(assistant, name)
    assert found is getattr(assistant, name)
    if isinstance(found, type):
        assert found.__doc__ and found.__module__.startswith("assistant.")


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Asistant'"):
        assistant.Asistant  # noqa: B018


def test_every_error_is_in_the_tree_that_is_drawn() -> None:
    drawn = re.findall(r"^[├└]── (\w+)", errors.__doc__ or "", re.M)
    kinds = [name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Exception)]
    assert sorted([*drawn, "AssistantError"]) == sorted(kinds)


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = f"import sys, assistant; from assistant import Answer; print([m for m in {HEAVY!r} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_the_package_is_typed() -> None:
    assert (PACKAGE / "py.typed").exists()
    for name in ("ask", "Assistant", "Settings"):
        found = getattr(assistant, name)
        assert "return" in (found.__init__ if isinstance(found, type) else found).__annotations__


def test_answers_survive_json_and_keep_their_contract() -> None:
    names = [field.name for field in dataclasses.fields(records.Answer)]
    contract = ["text", "outcome", "citations", "conflicts", "findings", "follow_ups", "confidence"]
    assert names[: len(contract)] == contract
    citation = ["number", "pmid", "source", "section", "quote", "start", "end", "url"]
    assert [field.name for field in dataclasses.fields(records.Citation)][: len(citation)] == citation
    with pytest.raises(TypeError):
        records.Answer.from_dict({"text": "x"})


def modules() -> Iterator[tuple[str, Path]]:
    """Yield each module's dotted name within the package, and its file."""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        if "migrations" not in parts:
            yield ".".join(part for part in parts if part != "__init__") or "__init__", path


def imports(path: Path) -> set[str]:
    """Return what a file imports anywhere in it, by dotted name, imports for type checking left out.

    `Answer.chart` draws itself, by a module that is imported when it is called: the one way back from the records.
    """
    tree = ast.parse(path.read_text("utf-8"))
    typing_only = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for inner in ast.walk(node)
    }
    found: set[str] = set()
    for node in ast.walk(tree):
        if node in typing_only:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute here"
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return found - ({"assistant.charts", "assistant.charts.chart"} if path.name == "records.py" else set())


def within(name: str, place: str) -> bool:
    """Return whether a dotted name is in a place ("web" holds "web.api")."""
    return name == place or name.startswith(f"{place}.")


ONLY = {
    # a library: the modules that may import it
    "chromadb": ("index",),
    "langchain_chroma": ("index",),
    "sentence_transformers": ("embed", "evidence"),
    "transformers": ("adapter", "embed", "triage.train"),
    "torch": ("adapter", "embed", "evidence", "triage", "bench", "evaluation"),
    "langchain": ("compose.chat", "compose.llm", "compose.providers", "rewrite_llm"),
    "langchain_core": ("compose.chat", "compose.llm", "compose.providers", "rewrite_llm"),
    "gradio": ("web.ui", "web.theme"),
    "fastapi": ("web", "bench"),
    "starlette": ("web", "bench"),
    "uvicorn": ("web", "bench"),
    "sqlalchemy": ("store", "feedback"),
    "matplotlib": ("charts",),
    "pysbd": ("split", "evidence.data"),
}


@pytest.mark.parametrize("library", ONLY)
def test_a_library_is_known_in_its_place_alone(library: str) -> None:
    knowing = {name for name, path in modules() if any(within(found, library) for found in imports(path))}
    assert {name for name in knowing if not any(within(name, place) for place in ONLY[library])} == set()


STAGES = ("triage", "rewrite", "retrieve", "evidence", "compose.extractive", "verify", "conflicts")
LATE = ("pipeline", "web", "cli", "bench", "evaluation")
DIRECTION = {
    # modules: what they may not import
    ("records", "errors"): ("*",),
    ("config", "messages", "numerals", "split", "corpus", "lexical", "embed", "adapter", "index"): (*STAGES, *LATE),
    STAGES: LATE,
    ("web.ui",): ("web.api",),
    ("web.api",): ("web.ui",),
    ("pipeline",): ("web", "cli"),
    ("web",): ("cli",),
}


@pytest.mark.parametrize("places", DIRECTION, ids=lambda places: places[0])
def test_imports_point_one_way(places: tuple[str, ...]) -> None:
    wrong = []
    for name, path in modules():
        if any(within(name, place) for place in places):
            own = {found.removeprefix("assistant.") for found in imports(path) if found.startswith("assistant.")}
            for found in own:
                forbidden = DIRECTION[places]
                if forbidden == ("*",) or any(within(found, place) for place in forbidden):
                    wrong.append(f"{name} imports {found}")
    assert wrong == []


def test_the_stages_know_nothing_of_each_other() -> None:
    wrong = []
    for name, path in modules():
        stage = next((stage for stage in STAGES if within(name, stage)), None)
        for found in imports(path) if stage else ():
            other = next((s for s in STAGES if within(found.removeprefix("assistant."), s)), None)
            if other and other != stage and found.startswith("assistant."):
                wrong.append(f"{name} imports {found}")
    assert wrong == []


def test_no_module_imports_itself_in_a_circle() -> None:
    known = {name for name, _ in modules()}
    graph = {
        name: {m for found in imports(path) if (m := found.removeprefix("assistant.")) in known and found != m}
        for name, path in modules()
    }
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " → ".join((*way[way.index(name) :], name))
        if name not in done:
            for other in graph[name] - {name, "__init__"}:
                visit(other, (*way, name))
            done.add(name)

    for name in graph:
        visit(name, ())
