"""Starts Debian's PostgreSQL on a free port for the tests, and stops it."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def binaries() -> Path | None:
    """Return the folder of PostgreSQL's programs, the newest, or None."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


@contextmanager
def server(programs: Path) -> Iterator[str]:
    """Yield the URL of an empty database; PostgreSQL refuses to run as root, so root hands it to user postgres."""
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    if user:
        pwd.getpwnam("postgres")
        shutil.chown(folder, "postgres")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def run(program: str, *arguments: str) -> None:
        subprocess.run(
            [*user, str(programs / program), *arguments], check=True, capture_output=True, cwd=folder, timeout=60
        )

    data = str(folder / "data")
    run("initdb", "-D", data, "-A", "trust", "-U", "owner", "--no-sync", "-E", "UTF8", "--locale", "C")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
    run("pg_ctl", "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start")
    try:
        yield f"postgresql://owner@127.0.0.1:{port}/postgres"
    finally:
        run("pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder)
