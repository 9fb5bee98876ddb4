"""The command line, mostly as a process of its own: answers, errors in one line, exit codes, pipes, speed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import FINDINGS, CorpusFolder

from assistant import cli
from assistant.pipeline import Assistant
from assistant.records import Answer

Run = Callable[..., subprocess.CompletedProcess[str]]
HEAVY = (
    "torch",
    "transformers",
    "sentence_transformers",
    "chromadb",
    "langchain",
    "gradio",
    "fastapi",
    "numpy",
    "pysbd",
)
COMMANDS = ("ask", "index", "check", "studies", "serve", "eval", "bench", "train-evidence", "train-triage")


def assert_one_line(done: subprocess.CompletedProcess[str], code: int, *said: str) -> None:
    """Check that a command failed with one line and no traceback."""
    assert done.returncode == code, done.stderr
    assert done.stdout == "" and "Traceback" not in done.stderr
    assert done.stderr.startswith("study-assistant: ") and done.stderr.count("\n") == 1, done.stderr
    assert all(text in done.stderr for text in said), done.stderr


def test_help_names_every_command(run_cli: Run) -> None:
    done = run_cli("--help")
    assert done.returncode == 0 and done.stderr == ""
    assert {line.split()[0] for line in done.stdout.splitlines() if line.startswith("    ")} >= set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, run_cli: Run) -> None:
    done = run_cli(command, "--help")
    assert done.returncode == 0 and f"study-assistant {command}" in done.stdout.replace("\n", " ")


def test_help_comes_at_once_and_imports_nothing_heavy() -> None:
    code = (
        "import sys, time; started = time.process_time()\n"
        "from assistant.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        f"sys.stderr.write(repr((time.process_time() - started, [m for m in {HEAVY!r} if m in sys.modules])))\n"
    )
    # The processor's time, not the clock's: a busy machine makes no command slower.
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stderr for _ in range(3)]
    seconds, heavy = zip(*map(eval, runs), strict=True)
    assert heavy == ([], [], []) and min(seconds) < 0.3, runs


@pytest.mark.parametrize(
    "arguments", [(), ("aks",), ("ask",), ("ask", "x", "--audience", "nurse"), ("serve", "--port", "x")]
)
def test_bad_use_exits_2_with_the_usage(arguments: tuple[str, ...], run_cli: Run) -> None:
    done = run_cli(*arguments)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("usage: ") and "Traceback" not in done.stderr


def test_version(run_cli: Run) -> None:
    assert run_cli("--version").stdout.strip().count(".") == 2


def test_studies(run_cli: Run) -> None:
    assert run_cli("studies").stdout.startswith("28287490  Correlations between Maternal")
    (listed,) = json.loads(run_cli("studies", "--json").stdout)
    assert (listed["pmid"], listed["year"], listed["doi"]) == ("28287490", 2017, "10.3390/nu9030270")


def test_check_says_that_all_is_sound(run_cli: Run) -> None:
    done = run_cli("check")
    assert done.returncode == 0 and done.stdout.startswith("28287490: sound; 3 sources")


def test_check_says_everything_that_is_wrong_at_once(run_cli: Run, corpus_folder: CorpusFolder) -> None:
    corpus_folder.add("1001", findings=FINDINGS.replace("0.35", "0.36"), summary=b"\xff")
    corpus_folder.add("1002", study=None)
    for done in (run_cli("check", str(corpus_folder.path)), run_cli("check", ASSISTANT_CORPUS=str(corpus_folder.path))):
        lines = done.stderr.splitlines()
        assert done.returncode == 1 and len(lines) == 3
        assert all(line.startswith("study-assistant: ") for line in lines)
        assert "findings.csv:2: value '0.36' does not stand" in done.stderr and "study.toml: is missing" in done.stderr
    told = json.loads(run_cli("check", "--json", str(corpus_folder.path)).stdout)
    assert told["studies"] == [] and len(told["problems"]) == 3
    assert {"file", "line", "message"} == set(told["problems"][0])


FAILS: dict[str, tuple[tuple[str, ...], dict[str, str], int, str]] = {
    "an unknown setting": (("studies",), {"ASSISTANT_CORPSE": "x"}, 2, "ASSISTANT_CORPSE is not a setting"),
    "a bad setting": (("ask", "x"), {"ASSISTANT_THREADS": "two"}, 2, "ASSISTANT_THREADS='two'"),
    "no corpus": (("ask", "x"), {"ASSISTANT_CORPUS": "/nowhere"}, 2, "expected an existing folder"),
    "a missing folder to check": (("check", "/nowhere"), {}, 1, "/nowhere: not a readable folder"),
    "eval of nothing": (("eval",), {}, 2, "one of the two"),
    "a sample of a file": (("eval", "file.jsonl", "--sample", "5"), {}, 2, "--suite"),
    "a long load of nothing": (("bench", "--soak", "5"), {}, 2, "--serve"),
}


@pytest.mark.parametrize("case", FAILS)
def test_an_error_is_one_line(case: str, run_cli: Run) -> None:
    arguments, env, code, said = FAILS[case]
    assert_one_line(run_cli(*arguments, **env), code, said)


@pytest.mark.model
@pytest.mark.slow
def test_index_says_what_it_did(run_cli: Run, corpus_folder: CorpusFolder, tmp_path: Path) -> None:
    corpus_folder.add()
    env = {"ASSISTANT_CORPUS": str(corpus_folder.path), "ASSISTANT_INDEX": str(tmp_path / "index")}
    first = run_cli("index", **env)
    assert first.returncode == 0 and first.stdout.endswith(f"in {tmp_path / 'index'}\n"), first.stderr
    assert " added, 0 kept, 0 removed (" in first.stdout and first.stderr == ""
    assert run_cli("index", **env).stdout.startswith("0 added, ")


@pytest.mark.model
@pytest.mark.slow
def test_ask_answers_in_words_in_json_and_from_a_pipe(run_cli: Run) -> None:
    question = "What was the median serum B12 of the Canadian mothers?"
    plain, asjson = run_cli("ask", question), run_cli("ask", "-", "--json", stdin=question + "\n")
    assert (plain.returncode, plain.stderr, asjson.returncode, asjson.stderr) == (0, "", 0, "")
    answer = Answer.from_dict(json.loads(asjson.stdout))
    assert answer.outcome == "answered" and answer.citations
    assert f"[1] {answer.citations[0].source} › " in plain.stdout and "PMID 28287490" in plain.stdout
    assert max(map(len, plain.stdout.splitlines())) <= 110


@pytest.mark.model
@pytest.mark.slow
def test_what_can_not_be_asked_is_one_line(run_cli: Run) -> None:
    assert_one_line(run_cli("ask", "-", stdin=""), 1, "the question is empty")
    assert_one_line(run_cli("ask", "-", stdin=b"\xff\xfe\x00"), 1, "question")
    assert_one_line(run_cli("ask", "milk?", "--study", "1"), 1, "study '1' is not in the corpus")


def test_a_reader_who_leaves_is_no_error() -> None:
    ask = [sys.executable, "-m", "assistant.cli", "studies", "--json"]
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(ask, stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_full_disk_is_one_line() -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("there is no /dev/full here")
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "assistant.cli", "studies"], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and "No space left" in done.stderr


def test_output_in_a_narrow_encoding_is_no_crash(run_cli: Run) -> None:
    done = run_cli("studies", PYTHONIOENCODING="ascii", LC_ALL="C")
    assert "Traceback" not in done.stderr and done.returncode == 0, done.stderr


def test_an_answer_reads_well_on_a_terminal(fake_assistant: Assistant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "72")
    told = cli.readable(fake_assistant.ask("Was milk iron higher in Peru than in Nepal?", study="1001"))
    assert max(map(len, told.splitlines())) <= 76
    assert "**" not in told and "“Milk iron was higher in Peru (0.35 mg/L" in " ".join(told.split())
    monkeypatch.setenv("COLUMNS", "wide")
    assert cli.readable(Answer("Hello.", "chat")) == "Hello."


def test_ctrl_c_ends_quietly() -> None:
    # A shell that starts this suite in the background has it ignore SIGINT, and so would its children.
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "import assistant.cli as c, time\n"
        "c._studies = lambda args: (print('ready', flush=True), time.sleep(60))\n"
        "exit(c.main(['studies']))\n"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert child.stdout and child.stdout.readline() == "ready\n"
    time.sleep(0.5)
    child.send_signal(2)
    _, error = child.communicate(timeout=30)
    assert (child.returncode, error) == (130, "")
