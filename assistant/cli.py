"""The command line: `study-assistant`."""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import shutil
import sys
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.errors import AssistantError, ConfigError, CorpusError
from assistant.evaluation import SUITES

if TYPE_CHECKING:
    from assistant.config import Settings
    from assistant.pipeline import Assistant
    from assistant.records import Answer

_EPILOG = """settings are environment variables that begin with ASSISTANT_ (ASSISTANT_CORPUS, ASSISTANT_INDEX, …);
the README lists them. Exit codes: 0 done, 1 it failed, 2 it was called wrongly."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; an error is one line on standard error, never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that can't show a character is no reason to fail
    args = _parser().parse_args(argv)
    try:
        code: int = args.run(args)
        sys.stdout.flush()
        return code
    except ConfigError as exc:
        return _fail(str(exc), 2)
    except AssistantError as exc:
        return _fail(str(exc), 1)
    except BrokenPipeError:
        # The reader has left (`| head`); what it wanted it has.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    except OSError as exc:
        return _fail(f"{exc.filename or 'the system'}: {exc.strerror or exc}", 1)


def _fail(message: str, code: int) -> int:
    for line in message.splitlines() or [""]:
        print(f"study-assistant: {line}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="study-assistant",
        description="Ask about a scientific study; every statement carries a citation that code has checked.",
        epilog=_EPILOG,
    )
    parser.add_argument("--version", action="version", version=metadata.version("study-assistant"))
    commands = parser.add_subparsers(metavar="command", required=True)

    ask = commands.add_parser("ask", help="answer a question")
    ask.add_argument("question", help='the question, or "-" to read it from standard input')
    ask.add_argument("--audience", choices=("parent", "clinician"), default="parent")
    ask.add_argument("--study", metavar="PMID", help="the study to ask (default: the one that fits best)")
    ask.add_argument("--json", action="store_true", help="print the answer as JSON")
    ask.add_argument("--chart", type=Path, metavar="FILE", help="draw the answer's figures into a .png or .svg file")
    ask.set_defaults(run=_ask)

    index = commands.add_parser("index", help="bring the index up to date; says what it added, kept and removed")
    index.set_defaults(run=_index)

    check = commands.add_parser(
        "check", help="check the corpus; names every problem, and what a study's sources disagree on"
    )
    check.add_argument("folder", nargs="?", type=Path, help="the corpus folder (default: the configured one)")
    check.add_argument("--json", action="store_true", help="print the result as JSON")
    check.set_defaults(run=_check)

    studies = commands.add_parser("studies", help="list the studies")
    studies.add_argument("--json", action="store_true", help="print the list as JSON")
    studies.set_defaults(run=_studies)

    serve = commands.add_parser("serve", help="serve the chat page and the HTTP API")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=7860)
    serve.set_defaults(run=_serve)

    report = commands.add_parser("report", help="show the owner ratings and unanswered questions")
    report.add_argument("--days", type=int, default=30, help="how far back (default: 30)")
    report.set_defaults(run=_report)

    evaluate = commands.add_parser("eval", help="score a file of questions, or a public suite")
    evaluate.add_argument("file", nargs="?", type=Path, help="JSON lines; the README describes the format")
    evaluate.add_argument("--suite", help=f"a public suite: {', '.join(SUITES)}")
    evaluate.add_argument("--data", type=Path, help="folder of the public data (default: ../shared/data)")
    evaluate.add_argument(
        "--sample", type=int, default=0, metavar="N", help="with --suite: N questions, the same ones in every run"
    )
    evaluate.add_argument(
        "--model", metavar="NAME", help="score a chat model beside the built-in answers (default: ASSISTANT_MODEL)"
    )
    evaluate.add_argument("--json", action="store_true", help="print the scores as JSON")
    evaluate.add_argument("--failures", action="store_true", help="list the questions that failed")
    evaluate.set_defaults(run=_eval)

    bench = commands.add_parser("bench", help="measure speed, beside a bare baseline in the same run")
    bench.add_argument("--serve", action="store_true", help="load the HTTP API from a second process")
    bench.add_argument(
        "--soak", type=float, default=0.0, metavar="SECONDS", help="with --serve: load it so long as well"
    )
    bench.add_argument("--json", action="store_true", help="print the figures as JSON")
    bench.set_defaults(run=_bench)

    train = commands.add_parser("train-evidence", help="train the evidence model anew")
    train.add_argument("--data", type=Path, help="folder of the public data (default: ../shared/data)")
    train.add_argument("--out", type=Path, required=True, help="folder for the adapter and its calibration")
    train.add_argument("--tiny", action="store_true", help="a few minutes' run that proves the path, not a good model")
    train.set_defaults(run=_train_evidence)

    triage = commands.add_parser("train-triage", help="train triage anew")
    triage.add_argument("--out", type=Path, required=True, help="file for the adapter")
    triage.add_argument("--tiny", action="store_true", help="train on few messages, to prove the path")
    triage.set_defaults(run=_train_triage)
    return parser


def _settings() -> Settings:
    from assistant.config import Settings

    return Settings.from_env()


def _open(settings: Settings) -> Assistant:
    from assistant.pipeline import Assistant

    return Assistant.open(settings, progress=_progress())


def _progress() -> Callable[[int, int], None] | None:
    """Return a progress bar for a terminal that someone watches, made at its first use."""
    if not sys.stderr.isatty():
        return None
    from tqdm import tqdm

    bars: list[Any] = []

    def show(done: int, total: int) -> None:
        if not bars:
            bars.append(tqdm(total=total, desc="indexing", unit="text", leave=False))
        bars[0].update(done - bars[0].n)
        if done >= total:
            bars[0].close()

    return show


def _ask(args: argparse.Namespace) -> int:
    question = sys.stdin.read() if args.question == "-" else args.question
    with _open(_settings()) as assistant:
        answer = assistant.ask(question, audience=args.audience, study=args.study)
    print(json.dumps(answer.to_dict(), ensure_ascii=False, indent=2) if args.json else readable(answer))
    return _draw(answer, args.chart) if args.chart else 0


def _draw(answer: Answer, file: Path) -> int:
    """Write the chart of an answer's figures, and say so on standard error."""
    suffix = file.suffix.lower()
    if suffix not in (".png", ".svg"):
        raise ConfigError(f"--chart {file}: expected a file that ends in .png or .svg")
    try:
        file.write_bytes(answer.chart("png" if suffix == ".png" else "svg"))
    except ValueError as exc:
        return _fail(f"no chart: {exc}", 1)
    print(f"chart written to {file}", file=sys.stderr)
    return 0


def readable(answer: Answer) -> str:
    """Return an answer for a terminal: the reply, then the quotes."""
    width = min(100, max(40, shutil.get_terminal_size((100, 24)).columns))
    plain = re.sub(r"\*\*(.+?)\*\*", r"\1", answer.text)
    blocks = [
        "\n".join(
            textwrap.fill(line, width, subsequent_indent="  " if line.startswith("- ") else "")
            for line in block.split("\n")
        )
        for block in plain.split("\n\n")
    ]
    if answer.citations:
        quotes = []
        for citation in answer.citations:
            quote = " ".join(citation.quote.split())
            head = f"[{citation.number}] {citation.source} › {citation.section} · PMID {citation.pmid}"
            quotes.append(
                f"{head}\n" + textwrap.fill(f"“{quote}”", width, initial_indent="    ", subsequent_indent="    ")
            )
        blocks.append("\n".join(quotes))
    return "\n\n".join(blocks)


def _index(args: argparse.Namespace) -> int:
    with _open(_settings()) as assistant:
        changes = assistant.changes
        sentences = sum(len(study.sentences) for study in assistant.corpus.studies)
        folder = assistant.settings.chroma_url or assistant.settings.index_folder
    print(f"{changes.added} added, {changes.kept} kept, {changes.removed} removed ({sentences} sentences) in {folder}")
    return 0


def _check(args: argparse.Namespace) -> int:
    from assistant.corpus import check_corpus
    from assistant.overview import as_table, rows

    folder = args.folder or _settings().corpus
    studies, problems = check_corpus(folder)
    if args.json:
        found = [{"file": str(p.file), "line": p.line, "message": p.message} for p in problems]
        report = {"studies": [s.pmid for s in studies], "problems": found, "disagreements": rows(studies)}
        print(json.dumps(report, ensure_ascii=False, indent=2))
        return 1 if problems else 0
    for study in studies:
        sections = sum(len(source.sections) for source in study.sources)
        print(
            f"{study.pmid}: sound; {len(study.sources)} sources, {sections} sections, "
            f"{len(study.sentences)} sentences, {len(study.findings)} findings"
        )
    if studies:
        print(f"\nSources that disagree (the corpus is not broken by it):\n{as_table(studies)}")
    if problems:
        raise CorpusError(problems)
    return 0


def _studies(args: argparse.Namespace) -> int:
    from assistant.corpus import read_corpus

    studies = read_corpus(_settings().corpus).studies
    if args.json:
        listed = [
            {"pmid": s.pmid, "title": s.title, "journal": s.journal, "year": s.year, "doi": s.doi, "url": s.url}
            for s in studies
        ]
        print(json.dumps(listed, ensure_ascii=False, indent=2))
    else:
        for study in studies:
            print(f"{study.pmid}  {study.title} ({study.year or 'n.d.'})")
    return 0


def _serve(args: argparse.Namespace) -> int:
    from assistant.web.serve import serve

    with _open(_settings()) as assistant:
        serve(assistant, args.host, args.port)
    return 0


def _report(args: argparse.Namespace) -> int:
    from assistant.store import Store

    if args.days < 1:
        raise ConfigError(f"--days {args.days}: expected at least 1")
    with Store.open(_settings()) as store:
        print(store.report(days=args.days))
    return 0


def _eval(args: argparse.Namespace) -> int:
    from assistant import evaluation

    if bool(args.file) == bool(args.suite):
        raise ConfigError("eval takes a file of questions or --suite, one of the two")
    if args.suite and args.model:
        raise ConfigError("--model goes with a file of questions; the suites ask no chat model")
    if args.sample < 0 or (args.sample and not args.suite):
        raise ConfigError("--sample takes a number of questions, and goes with --suite")
    if args.suite:
        data = args.data or Path("../shared/data")
        report = evaluation.suite(args.suite, data, _settings(), sample=args.sample)
    else:
        settings = replace(_settings(), model=args.model) if args.model else _settings()
        with _open(settings) as assistant:
            report = evaluation.questions(args.file, assistant)
    print(json.dumps(report.to_dict(), ensure_ascii=False, indent=2) if args.json else report.table(args.failures))
    return 0


def _bench(args: argparse.Namespace) -> int:
    if args.soak < 0 or (args.soak and not args.serve):
        raise ConfigError("--soak takes seconds, and goes with --serve")
    from assistant.bench.serve import bench_serve
    from assistant.bench.speed import bench

    figures = bench_serve(_settings(), soak=args.soak) if args.serve else bench(_settings())
    print(json.dumps(figures.to_dict(), indent=2) if args.json else figures.table())
    return 0


def _train_evidence(args: argparse.Namespace) -> int:
    from assistant.evidence.train import train

    train(args.data or Path("../shared/data"), args.out, tiny=args.tiny, threads=_settings().thread_count)
    return 0


def _train_triage(args: argparse.Namespace) -> int:
    from assistant.triage.train import train

    train(args.out, tiny=args.tiny)
    return 0


if __name__ == "__main__":
    sys.exit(main())
