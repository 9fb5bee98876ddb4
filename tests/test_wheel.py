"""The built wheel answers from another folder, without the checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from conftest import ROOT

pytestmark = [pytest.mark.slow]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built as `pip wheel` builds it, without looking anything up."""
    out = tmp_path_factory.mktemp("dist")
    build = "from hatchling.build import build_wheel; import sys; print(build_wheel(sys.argv[1]))"
    done = subprocess.run([sys.executable, "-c", build, str(out)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (found,) = out.glob("*.whl")
    return found


def test_the_wheel_carries_what_it_needs(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for path in (ROOT / "assistant").rglob("*"):
        name = path.relative_to(ROOT).as_posix()
        if path.is_file() and "__pycache__" not in name:
            assert name in names, f"{name} is not in the wheel"
    for folder in ("corpus", "prompts"):
        for path in (ROOT / folder).rglob("*.*"):
            if path.is_file():
                assert f"assistant/bundled/{path.relative_to(ROOT).as_posix()}" in names
    assert not {name for name in names if name.startswith(("tests/", "README"))}


@pytest.mark.model
def test_the_installed_wheel_answers_from_another_folder(wheel: Path, tmp_path: Path) -> None:
    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    elsewhere.mkdir()
    zipfile.ZipFile(wheel).extractall(site)
    env = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(site), os.environ["PYTHONPATH"]]),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }
    code = (
        "import json, assistant; from assistant import Assistant\n"
        "with Assistant.open() as opened:\n"
        "    answer = opened.ask('Who wrote the study?')\n"
        "    print(json.dumps([assistant.__file__, str(opened.settings.index_folder), answer.to_dict()]))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=elsewhere, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    file, index, answer = json.loads(done.stdout)
    assert file.startswith(str(site)) and index == str(tmp_path / "cache" / "study-assistant" / "index")
    assert answer["outcome"] == "answered" and "Whitfield KC" in answer["text"]
    assert list(elsewhere.iterdir()) == []
