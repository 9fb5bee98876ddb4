"""axe-core for the browser tests, fetched from npm once into build/, which git ignores."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

VERSION = "4.14.1"
_FOLDER = Path(__file__).parents[2] / "build" / "axe"


def axe_script() -> Path:
    """Return the path of axe.min.js; skip the test where npm can't get it."""
    script = _FOLDER / f"axe-{VERSION}.min.js"
    if not script.exists():
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip("axe-core needs npm: apt-get install npm")
        _FOLDER.mkdir(parents=True, exist_ok=True)
        command = [npm, "pack", f"axe-core@{VERSION}", "--silent", "--pack-destination", str(_FOLDER)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        except subprocess.TimeoutExpired:
            pytest.skip("npm pack axe-core took more than two minutes")
        if done.returncode:
            pytest.skip(f"npm pack axe-core failed: {done.stderr.strip()[:300]}")
        with tarfile.open(_FOLDER / f"axe-core-{VERSION}.tgz") as archive:
            member = archive.extractfile("package/axe.min.js")
            assert member is not None
            script.write_bytes(member.read())
    return script


def violations(page: Any) -> list[str]:
    """Return what axe finds on a page, shadow trees included: 'impact rule: selectors', one a line."""
    page.evaluate(axe_script().read_text(encoding="utf-8"))
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")["violations"]
    return [
        f"{rule['impact']} {rule['id']}: {[node['target'] for node in rule['nodes']]} "
        f"{rule['nodes'][0]['failureSummary']}"
        for rule in found
    ]
