"""What the README shows is run: its commands, its Python, its links to files."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

from assistant.config import PREFIX, Settings

README = (ROOT / "README.md").read_text("utf-8")
BLOCK = re.compile(r"^```(?P<language>console|bash|sh|python|pycon)[^\n]*\n(?P<code>.*?)^```", re.M | re.S)
# These install, train for hours, serve until they are stopped, or test themselves.
NOT_RUN = re.compile(
    r"^(?:make|git|cd|(?:\.venv/bin/)?pip|python3? -m (?:venv|pip)|docker|apt-get|sudo|export|curl)\b"
    r"|^(?:bash )?\.ci/run\b"
    r"|study-assistant (?:serve|bench|train-evidence|train-triage|import|eval|feedback)\b|ollama|llama|vllm"
)


def commands() -> list[str]:
    """Return the README's shell commands: lines after "$ " in console blocks, all lines of bash blocks."""
    found = []
    for block in BLOCK.finditer(README):
        code = block["code"].replace("\\\n", " ")
        lines = code.splitlines()
        if block["language"] == "console":
            found += [line[2:] for line in lines if line.startswith("$ ")]
        elif block["language"] in ("bash", "sh"):
            found += [line for line in lines if line.strip() and not line.startswith("#")]
    return found


def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return an environment in which `study-assistant` and `python` are this environment's own."""
    scripts = str(Path(sys.executable).parent)
    index = str(tmp_path_factory.getbasetemp() / "readme-index")
    return {**os.environ, "PATH": os.pathsep.join([scripts, os.environ["PATH"]]), "ASSISTANT_INDEX": index}


RUN = [line for line in commands() if not NOT_RUN.search(line.strip().removeprefix("uv run "))]


@pytest.mark.model
@pytest.mark.slow
@pytest.mark.parametrize("command", RUN)
def test_a_command_runs(command: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment(tmp_path_factory),
        timeout=300,
    )
    assert done.returncode == 0, f"$ {command}\n{done.stdout}{done.stderr}"


def test_every_command_that_is_shown_exists() -> None:
    shown = {shlex.split(line, comments=True)[1] for line in commands() if line.startswith("study-assistant ")}
    told = subprocess.run([sys.executable, "-m", "assistant.cli", "--help"], capture_output=True, text=True).stdout
    assert [name for name in sorted(shown) if f"\n    {name} " not in told and not name.startswith("-")] == []
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
    assert {t for line in commands() for t in re.findall(r"^make ([a-z]+)", line)} <= targets


PYTHON = [block["code"] for block in BLOCK.finditer(README) if block["language"] == "python"]


@pytest.mark.model
@pytest.mark.slow
@pytest.mark.parametrize("code", PYTHON, ids=range(len(PYTHON)))
def test_a_python_example_runs(code: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    env = environment(tmp_path_factory)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, env=env, timeout=300)
    assert done.returncode == 0, done.stderr


def test_every_setting_that_is_named_exists() -> None:
    known = {PREFIX + name.upper() for name in Settings.__dataclass_fields__}
    assert set(re.findall(rf"\b{PREFIX}[A-Z_]+[A-Z]\b", README)) - known == set()


def test_every_file_that_is_linked_exists() -> None:
    linked = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", README)
    assert [name for name in linked if not (ROOT / name).exists()] == []
