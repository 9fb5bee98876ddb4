"""The studies over HTTP: what there is, the texts that offsets point into, and their charts."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Literal

from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from assistant.corpus import Corpus
from assistant.records import Finding, Source, Study
from assistant.web.files import ASK_AGAIN, File
from assistant.web.problems import Problem, documented

KEPT = 64
"""Responses that are kept ready."""

Draw = Callable[[Sequence[Finding], str], bytes]
"""Draws findings as an SVG, for a "light" or a "dark" page; raises `ValueError` where nothing can be drawn."""


class SectionBody(BaseModel):
    """A titled stretch of a text; offsets count Unicode characters."""

    title: str
    start: int
    end: int


class SourceBody(BaseModel):
    """A text of a study; citations' offsets point into `text`."""

    pmid: str
    source: str
    title: str
    url: str
    text: str
    sections: list[SectionBody]


class SourceItem(BaseModel):
    """A text of a study, and where to get it."""

    name: str
    characters: int
    url: str


class StudyBody(BaseModel):
    """A study's bibliographic record, its texts and its chart, if it has figures."""

    pmid: str
    title: str
    authors: list[str]
    journal: str
    year: int | None
    doi: str
    licence: str
    url: str
    sources: list[SourceItem]
    chart: str | None


class StudiesBody(BaseModel):
    """All studies."""

    studies: list[StudyBody]


class Studies:
    """Answers for the studies of a corpus.

    Args:
        draw: Draws a chart, or None where charts are not to be had.
    """

    def __init__(self, corpus: Corpus, draw: Draw | None) -> None:
        self._corpus = corpus
        self._draw = draw
        self._one_at_a_time = CapacityLimiter(1)  # the drawing library is not thread-safe
        self._kept: OrderedDict[Hashable, File] = OrderedDict()

    def find(self, pmid: str) -> Study:
        """Return a study.

        Raises:
            Problem: There is none.
        """
        try:
            return self._corpus.study(pmid)
        except KeyError as exc:
            raise Problem("not_found", "There is no such study here; GET /api/v1/studies lists them.") from exc

    def all(self) -> File:
        """Return the list of studies."""
        return self._keep("all", lambda: _json({"studies": [self._describe(study) for study in self._corpus.studies]}))

    def source(self, pmid: str, name: str) -> File:
        """Return a text.

        Raises:
            Problem: There is none.
        """
        study = self.find(pmid)
        try:
            source = study.source(name)
        except KeyError as exc:
            names = ", ".join(item.name for item in (*study.sources, study.record))
            raise Problem("not_found", f"The study has no such source; it has {names}.") from exc
        return self._keep((pmid, name), lambda: _json(_source(study, source)))

    async def chart(self, pmid: str, measure: str = "", who: str = "", theme: str = "light") -> File:
        """Return a chart of a study's figures.

        Args:
            pmid: The study.
            measure: What was measured, or "" for whatever the study has most of.
            who: In whom, or "" for everyone.
            theme: "light" or "dark".

        Raises:
            Problem: There is none.
        """
        study = self.find(pmid)
        chosen = tuple(
            finding
            for finding in study.findings
            if finding.value is not None and measure in ("", finding.measure) and who in ("", finding.who)
        )
        draw = self._draw
        none = Problem("not_found", "There are no such figures to draw.")
        if draw is None or not chosen:
            raise none
        key = ("chart", pmid, measure, who, theme)
        if key not in self._kept:
            try:
                svg = await to_thread.run_sync(draw, chosen, theme, limiter=self._one_at_a_time)
            except ValueError as exc:
                raise none from exc
            return self._keep(key, lambda: File.of(svg, "image/svg+xml", ASK_AGAIN))
        return self._kept[key]

    def _describe(self, study: Study) -> dict[str, Any]:
        base = f"/api/v1/studies/{study.pmid}"
        drawn = self._draw is not None and any(finding.value is not None for finding in study.findings)
        return {
            "pmid": study.pmid,
            "title": study.title,
            "authors": list(study.authors),
            "journal": study.journal,
            "year": study.year,
            "doi": study.doi,
            "licence": study.licence,
            "url": study.url,
            "sources": [
                {"name": source.name, "characters": len(source.text), "url": f"{base}/sources/{source.name}"}
                for source in (*study.sources, study.record)
            ],
            "chart": f"{base}/chart.svg" if drawn else None,
        }

    def _keep(self, key: Hashable, make: Callable[[], File]) -> File:
        """Return what was made before, or make it; the oldest goes."""
        if key not in self._kept:
            self._kept[key] = make()
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return self._kept[key]


def add_study_routes(app: FastAPI, studies: Studies) -> None:
    """Add the three routes."""

    @app.get("/api/v1/studies", response_model=StudiesBody, summary="All studies")
    async def list_studies(request: Request) -> Response:
        return studies.all().response(request)

    @app.get(
        "/api/v1/studies/{pmid}/sources/{source}",
        response_model=SourceBody,
        responses=documented("not_found", "invalid"),
        summary="The text that offsets point into",
    )
    async def read_source(request: Request, pmid: str, source: str) -> Response:
        return studies.source(pmid, source).response(request)

    @app.get(
        "/api/v1/studies/{pmid}/chart.svg",
        response_class=Response,
        responses={200: {"content": {"image/svg+xml": {}}}, **documented("not_found", "invalid")},
        summary="The study's figures as a chart",
    )
    async def draw_chart(
        request: Request, pmid: str, measure: str = "", who: str = "", theme: Literal["light", "dark"] = "light"
    ) -> Response:
        return (await studies.chart(pmid, measure, who, theme)).response(request)


def _source(study: Study, source: Source) -> dict[str, Any]:
    return {
        "pmid": study.pmid,
        "source": source.name,
        "title": study.title,
        "url": study.url,
        "text": source.text,
        "sections": [{"title": item.title, "start": item.start, "end": item.end} for item in source.sections],
    }


def _json(value: object) -> File:
    return File.of(json.dumps(value, ensure_ascii=False).encode(), "application/json", ASK_AGAIN)
