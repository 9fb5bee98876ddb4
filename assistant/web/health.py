"""Alive, and ready: the index is open and a probe question gets its answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from anyio import to_thread

from assistant.web.shield import log_without_text

FRESH = 15.0
"""Seconds for which a good probe counts, so that asking often costs nothing."""
WITHIN = 10.0
"""Seconds in which the probe must be answered."""


class Readiness:
    """Asks a probe question, one at a time.

    Args:
        probe: Asks it; raises where it isn't answered.
    """

    def __init__(self, probe: Callable[[], object]) -> None:
        self._probe = probe
        self._lock = asyncio.Lock()
        self._good_until = 0.0
        self.draining = False

    async def ready(self) -> bool:
        """Return whether questions are answered."""
        if self.draining:
            return False
        async with self._lock:
            if time.monotonic() < self._good_until:
                return True
            try:
                async with asyncio.timeout(WITHIN):
                    await to_thread.run_sync(self._probe, abandon_on_cancel=True)
            except Exception as exc:  # whatever it is, the server isn't ready
                log_without_text(exc, "/readyz")
                return False
            self._good_until = time.monotonic() + FRESH
            return True
