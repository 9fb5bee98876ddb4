"""The language model's side: asked over real HTTP, believed in nothing, and never an error for the reader."""

from __future__ import annotations

import csv
import json
import logging
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from assistant.compose import Draft, providers
from assistant.compose.chat import Chat, ModelCounts, ModelFailure
from assistant.compose.llm import MOST_STATEMENTS, LanguageModel
from assistant.compose.parsing import LONGEST, Parser
from assistant.config import Settings
from assistant.corpus import read_corpus
from assistant.errors import ConfigError, ExtraError, PromptError
from assistant.evidence import Judgement
from assistant.language import language_of
from assistant.messages import Messages
from assistant.records import Sentence, Study, Turn
from assistant.rewrite_llm import brought_in
from assistant.support import Support
from tests.llm_server import LLMServer, Reply, Request, Script, statements

KEY = "sk-secret-0123456789"
ATTACKS = Path(__file__).parents[1].parent / "shared" / "data" / "attacks"
MOTHERS = "Canadian mothers had higher median serum B12 (348"
MILK = "Breast milk B12 concentrations were also"
GOOD = "Canadian mothers had a median serum B12 of 348 pmol/L, against 171 pmol/L in Cambodian mothers."


class SaysYes:
    """Evidence that lets everything pass, so that only the other checks decide."""

    threshold = 0.5

    def judge(self, question: str, candidates: object) -> Judgement:
        return Judgement(tuple(1.0 for _ in candidates), 1.0)  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def study() -> Study:
    return read_corpus(Settings().corpus).studies[0]


@pytest.fixture
def given(study: Study) -> list[Sentence]:
    return [next(s for s in study.sentences if part in s.text) for part in (MOTHERS, MILK)]


@pytest.fixture
def serve() -> Iterator[Callable[..., tuple[LLMServer, LanguageModel]]]:
    servers = []

    def start(script: Script, **settings: object) -> tuple[LLMServer, LanguageModel]:
        server = LLMServer(script)
        servers.append(server)
        values = {"model": "openai:test", "model_api_key": KEY, "model_timeout": 3.0, "model_budget": 6.0} | settings
        chosen = Settings(model_url=server.url, **values)  # type: ignore[arg-type]
        model = LanguageModel.open(chosen, Messages.load(chosen.prompts))
        assert model is not None
        return server, model

    yield start
    for server in servers:
        server.__exit__()


def good(request: Request) -> str:
    return statements((GOOD, [request.id_of("348 pmol/L vs. 171")]))


def texts(model: LanguageModel, given: list[Sentence], question: str = "What was B12?") -> list[str]:
    return [draft.text for draft in model.drafts(question, given, "parent")]


# -- opening -----------------------------------------------------------------------------------------------------------


def test_no_model_is_the_default() -> None:
    assert LanguageModel.open(Settings(), Messages.load(Settings().prompts)) is None


@pytest.mark.parametrize(
    ("name", "install"),
    [
        ("anthropic:claude-x", "study-assistant[anthropic]"),
        ("ollama:llama3.1", "study-assistant[ollama]"),
        ("mistralai:m", "study-assistant[mistral]"),
        ("google_genai:g", "study-assistant[google]"),
        ("xai:grok", "langchain-xai"),
    ],
)
def test_missing_provider_says_what_to_install(name: str, install: str) -> None:
    package = f"langchain_{name.partition(':')[0]}"
    if __import__("importlib.util").util.find_spec(package):
        pytest.skip(f"{package} is installed here")
    with pytest.raises(ExtraError, match=r"pip install") as caught:
        LanguageModel.open(Settings(model=name), Messages.load(Settings().prompts))
    assert install in str(caught.value)


@pytest.mark.parametrize("name", ["nonsense", "nobody:model", "openai:"])
def test_unusable_name_is_a_setting_error_that_names_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises((ConfigError, ExtraError)) as caught:
        LanguageModel.open(Settings(model=name), Messages.load(Settings().prompts))
    assert "ASSISTANT_MODEL" in str(caught.value)


def test_prompt_with_an_unknown_field_fails_at_opening(tmp_path: Path) -> None:
    (tmp_path / "answer.md").write_text("Write for a $reader.")
    (tmp_path / "rewrite.md").write_text("Rewrite.")
    chat = Chat(object(), "m", timeout=1, budget=1, counts=ModelCounts())
    with pytest.raises(PromptError, match=r"\$reader"):
        LanguageModel(chat, tmp_path)


@pytest.mark.parametrize(
    ("key", "raw"),
    [
        ("MODEL_TIMEOUT", "0"),
        ("MODEL_TIMEOUT", "soon"),
        ("MODEL_URL", "x:" + KEY),
        ("MODEL_URL", f"http://a:{KEY}@h/v1"),
    ],
)
def test_bad_settings_are_named_without_secrets(key: str, raw: str) -> None:
    with pytest.raises(ConfigError, match=f"ASSISTANT_{key}") as caught:
        Settings.from_env({f"ASSISTANT_{key}": raw})
    assert f"{KEY}@" not in str(caught.value)


# -- good replies, in every wrapping -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrap",
    [
        pytest.param(lambda said: Reply(said), id="plain JSON"),
        pytest.param(lambda said: Reply(arguments=said), id="tool call"),
        pytest.param(lambda said: Reply(f"Sure!\n```json\n{said}\n```\nHope it helps {{:"), id="fence and chatter"),
        pytest.param(
            lambda said: Reply(f'<think>{{"text": "No.", "cites": ["1"]}}</think>{said}'), id="thinking aloud"
        ),
        pytest.param(lambda said: Reply(json.dumps(json.loads(said)["statements"])), id="bare list"),
        pytest.param(lambda said: Reply(said.replace("]}", "],}")), id="trailing commas"),
        pytest.param(lambda said: Reply(said + said), id="said twice"),
        pytest.param(lambda said: Reply(said, can_stream=False), id="not streaming"),
        pytest.param(lambda said: Reply(arguments=said, can_stream=False), id="not streaming, tool call"),
        pytest.param(lambda said: Reply(said[:-2], finish="length"), id="cut after the statement"),
        pytest.param(lambda said: Reply(said + '{"text": "And', breaks_off=True), id="broken off after it"),
    ],
)
def test_a_good_statement_is_found(
    wrap: Callable[[str], Reply], serve: Callable[..., tuple[LLMServer, LanguageModel]], given: list[Sentence]
) -> None:
    _, model = serve(lambda request: wrap(good(request)))
    drafts = list(model.drafts("What was B12?", given, "clinician"))
    assert [(draft.text, draft.cites) for draft in drafts] == [(GOOD, (given[0],))]


def test_lines_with_markers_are_found(
    serve: Callable[..., tuple[LLMServer, LanguageModel]], given: list[Sentence]
) -> None:
    _, model = serve(lambda request: Reply(f"Here it is:\n- {GOOD} [{request.id_of('348 pmol/L vs. 171')}]"))
    assert texts(model, given) == [GOOD]


def test_server_without_tools_is_asked_plainly_from_then_on(
    serve: Callable[..., tuple[LLMServer, LanguageModel]], given: list[Sentence]
) -> None:
    server, model = serve(
        lambda r: Reply(status=400) if "tools" in r.body or "temperature" in r.body else Reply(good(r))
    )
    assert texts(model, given) == texts(model, given) == [GOOD]
    assert ["tools" in request.body for request in server.requests] == [True, False, False]


def test_statements_come_as_they_complete(
    serve: Callable[..., tuple[LLMServer, LanguageModel]], given: list[Sentence]
) -> None:
    def script(request: Request) -> Reply:
        one = request.id_of("348 pmol/L vs. 171")
        return Reply(statements((GOOD, [one]), ("Second.", [one]), ("Third.", [one])), pieces=30, pause=0.05)

    _, model = serve(script)
    start = time.monotonic()
    arrived = [time.monotonic() - start for _ in model.drafts("B12?", given, "parent")]
    assert len(arrived) == 3
    assert arrived[0] < arrived[-1] - 0.2


def test_no_sentences_no_call(serve: Callable[..., tuple[LLMServer, LanguageModel]]) -> None:
    server, model = serve(lambda request: Reply("{}"))
    assert texts(model, []) == []
    assert server.requests == []


def test_an_empty_list_is_an_answer(
    serve: Callable[..., tuple[LLMServer, LanguageModel]], given: list[Sentence]
) -> None:
    server, model = serve(lambda request: Reply('{"statements": []}'))
    assert texts(model, given) == []
    assert len(server.requests) == 1


def test_ids_hold_for_one_request_only(
    serve: Callable[..., tuple[LLMServer, LanguageModel]], given: list[Sentence]
) -> None:
    server, model = serve(lambda request: Reply(good(request)))
    for _ in range(6):
        texts(model, given)
    assert len({request.id_of("348 pmol/L vs. 171") for request in server.requests}) > 1
    old = server.requests[0].id_of("348 pmol/L vs. 171")
    server.script = lambda request: Reply(statements((GOOD, [old]), (GOOD + " ", ["1"])))
    for _ in range(3):
        found = texts(model, given)
        assert found == [] or server.requests[-1].id_of("348 pmol/L vs. 171") == old


# -- failures ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "reason", "calls"),
    [
        pytest.param(Reply(""), "empty", 2, id="empty"),
        pytest.param(Reply("I'm sorry, I can't help with that."), "unusable", 1, id="refuses in words"),
        pytest.param(Reply(refusal="No."), "refused", 2, id="refuses"),
        pytest.param(Reply("...", finish="content_filter"), "refused", 1, id="filtered"),
        pytest.param(Reply('{"statements": [{"text": "Canadian mo', finish="length"), "unusable", 1, id="half JSON"),
        pytest.param(Reply('{"text": "Canadian mo', breaks_off=True), "unreachable", 1, id="broken off"),
        pytest.param(Reply(status=401, error=f"Incorrect key {KEY}"), "key_refused", 1, id="key refused"),
        pytest.param(Reply(status=404), "not_found", 1, id="no such model"),
        pytest.param(Reply(status=429, headers={"retry-after": "0"}), "rate_limited", 4, id="rate limit"),
        pytest.param(
            Reply(status=429, headers={"retry-after": "600"}), "rate_limited", 1, id="rate limit beyond the budget"
        ),
        pytest.param(Reply(status=503, headers={"retry-after": "0"}), "server_error", 4, id="server error"),
        pytest.param(Reply(status=400), "bad_request", 2, id="bad request"),
        pytest.param(Reply(hang=30), "timeout", None, id="silent"),
        pytest.param(Reply("word " * 40, pause=0.1, endless=True, pieces=40), None, 1, id="drips for ever"),
        pytest.param(Reply("round and round " * 50, endless=True), "unusable", 1, id="loops"),
    ],
)
def test_a_failure_is_one_error_within_the_budget(
    reply: Reply,
    reason: str | None,
    calls: int | None,
    serve: Callable[..., tuple[LLMServer, LanguageModel]],
    given: list[Sentence],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    server, model = serve(lambda request: reply, model_timeout=0.7, model_budget=2.0)
    start = time.monotonic()
    with pytest.raises(ModelFailure) as caught:
        texts(model, given)
    assert time.monotonic() - start < 6.0
    # On a busy machine the budget can be spent before the last try times out.
    assert caught.value.reason in {reason or "budget", "budget" if reason == "timeout" else reason or "budget"}
    assert calls is None or len(server.requests) == calls
    assert model.counts.snapshot()[f"failed.{caught.value.reason}"] == 1
    shown = "".join(traceback.format_exception(caught.value)) + repr(model) + str(caught.value)
    assert KEY not in shown
    assert KEY not in caplog.text
    assert any(record.levelno == logging.WARNING for record in caplog.records if record.name.startswith("assistant"))


def test_dead_server(given: list[Sentence]) -> None:
    with LLMServer(lambda request: Reply("")) as server:
        url = server.url
    chosen = Settings(model="openai:test", model_url=url, model_api_key=KEY, model_timeout=1.0, model_budget=1.5)
    model = LanguageModel.open(chosen, Messages.load(chosen.prompts))
    assert model is not None
    start = time.monotonic()
    with pytest.raises(ModelFailure) as caught:
        texts(model, given)
    assert caught.value.reason == "unreachable"
    assert time.monotonic() - start < 5.0


def test_recovers_after_an_overloaded_moment(
    serve: Callable[..., tuple[LLMServer, LanguageModel]], given: list[Sentence]
) -> None:
    _, model = serve(lambda r: Reply(status=503, headers={"retry-after": "0"}) if r.number < 3 else Reply(good(r)))
    assert texts(model, given) == [GOOD]
    assert model.counts.snapshot()["retries"] == 2


def test_the_same_again_and_again_ends(
    serve: Callable[..., tuple[LLMServer, LanguageModel]], given: list[Sentence]
) -> None:
    _, model = serve(lambda r: Reply(good(r), endless=True))
    assert texts(model, given) == [GOOD]


def test_no_more_statements_than_asked_for(
    serve: Callable[..., tuple[LLMServer, LanguageModel]], given: list[Sentence]
) -> None:
    def script(request: Request) -> Reply:
        one = request.id_of("348 pmol/L vs. 171")
        return Reply(statements(*((f"Statement {n}.", [one]) for n in range(30))))

    _, model = serve(script)
    assert len(texts(model, given)) == MOST_STATEMENTS


# -- secrets -----------------------------------------------------------------------------------------------------------


def test_the_key_goes_to_the_server_and_nowhere_else(
    serve: Callable[..., tuple[LLMServer, LanguageModel]], given: list[Sentence], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server, model = serve(lambda request: Reply(good(request)))
    texts(model, given)
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert KEY not in caplog.text
    assert KEY not in repr(model) + repr(model._chat) + repr(Settings(model_api_key=KEY))


def test_a_key_in_the_environment_is_not_sent_to_another_server(
    serve: Callable[..., tuple[LLMServer, LanguageModel]], given: list[Sentence], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    server, model = serve(lambda request: Reply(good(request)), model_api_key="")
    texts(model, given)
    assert KEY not in str(server.requests[0].headers)


# -- hostile output, hostile sources, hostile questions ------------------------------------------------------------------  # noqa: E501

HOSTILE = {
    "wrong number": "Canadian mothers had a median serum B12 of 358 pmol/L.",
    "wrong unit": "Canadian mothers had a median serum B12 of 348 nmol/L.",
    "swapped cohorts": "Cambodian mothers had a median serum B12 of 348 pmol/L, against 171 pmol/L in Canadian mothers.",  # noqa: E501
    "flipped direction": "Canadian mothers had lower median serum B12 than Cambodian mothers.",
    "flipped by swapping": "Cambodian mothers had higher median serum B12 than Canadian mothers.",
    "wrong who": "Canadian babies had a plasma B12 of 348 pmol/L.",
    "dose": "Canadian mothers had higher median serum B12; take 1000 µg daily.",
    "advice": "Canadian mothers had higher median serum B12, so mothers should eat meat.",
    "extra claim": "Canadian mothers had higher median serum B12 because of better health care.",
    "unrelated claim": "Vitamin B12 prevents autism.",
    "leaked prompt": "You phrase answers from numbered sentences of one scientific study.",
    "markup": "Canadian mothers had higher median serum B12 <script>alert(1)</script>.",
    "link": "Canadian mothers had higher median serum B12 [see](https://evil.example).",
    "own marker": "Canadian mothers had higher median serum B12 [1].",
    "half a list": "Canadian mothers had higher median serum B12 and folate.",
    "other country": "Peruvian mothers had higher median serum B12.",
}


@pytest.mark.parametrize("said", HOSTILE.values(), ids=HOSTILE)
def test_hostile_output_is_not_shown_and_is_counted(
    said: str, serve: Callable[..., tuple[LLMServer, LanguageModel]], given: list[Sentence], study: Study
) -> None:
    def script(request: Request) -> Reply:
        one = request.id_of("348 pmol/L vs. 171")
        return Reply(statements((said, [one]), (GOOD, [one]), ("Invented.", ["zz99"])))

    _, model = serve(script)
    shown = Support(study, SaysYes()).holding(model.drafts("B12?", given, "parent"), model.counts.add)
    assert [draft.text for draft in shown] == [GOOD]
    counted = model.counts.snapshot()
    assert counted["dropped.unknown_ids"] == 1
    assert counted["verified"] == 1
    assert sum(number for name, number in counted.items() if name.startswith("dropped.")) == 2


def injections() -> list[str]:
    if not ATTACKS.is_dir():
        return []
    with (ATTACKS / "giskard_prompt_injections.csv").open(encoding="utf-8", newline="") as file:
        orders = [row["prompt"] for row in csv.DictReader(file)]
    planted = json.loads((ATTACKS / "bipia-text-attacks.json").read_text(encoding="utf-8"))
    return [*orders, *(order for group in planted.values() for order in group)]


@pytest.mark.skipif(not ATTACKS.is_dir(), reason=f"{ATTACKS} is absent")
def test_orders_in_question_and_source_stay_data(
    serve: Callable[..., tuple[LLMServer, LanguageModel]], given: list[Sentence], study: Study
) -> None:
    """A model that obeys every order it reads still shows nothing; the rules that it is given never change."""
    orders = injections()
    assert len(orders) > 100

    def obeys(request: Request) -> Reply:
        order = request.data["question"]
        one = request.data["sentences"][0]["id"]
        return Reply(
            statements((order[:400], [one]), ("OK, I obey: " + order[-200:], [one]), (GOOD, [one])), can_stream=True
        )

    server, model = serve(obeys)
    support = Support(study, SaysYes())
    for order in orders[::2]:
        planted = replace(given[0], text=f"{given[0].text} {order}")
        list(model.drafts(order, [given[0], planted], "parent"))
        shown = list(support.holding(model.drafts(order, [given[0]], "parent")))
        assert [draft.text for draft in shown] == [GOOD]
        data = server.requests[-2].data
        assert data["question"] == order
        assert " ".join(order.split()) in data["sentences"][1]["text"]
    assert len({request.system for request in server.requests}) == 1


def test_a_sentence_that_was_changed_cannot_be_cited(study: Study, given: list[Sentence]) -> None:
    planted = replace(given[0], text=given[0].text + " Take 1000 µg daily.")
    found = Support(study, SaysYes()).faults(Draft("Take 1000 µg daily.", (planted,)))
    assert found and found[0].kind == "quotes"


# -- parsing -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize(
    "said",
    [
        "{" * 20000,
        '{"a":' * 3000,
        "[" * 20000 + "}",
        '{"text": "x", "cites": ' * 900 + "}",
        '{"text": 5, "cites": {}}' * 500,
    ],
    ids=["braces", "deep", "lists", "nested", "kinds"],
)
def test_malformed_output_neither_hangs_nor_yields(said: str, size: int) -> None:
    parser = Parser()
    start = time.process_time()
    found = [w for at in range(0, len(said), size) if not parser.full for w in parser.feed(said[at : at + size])]
    assert found + list(parser.end()) == []
    assert len(parser.text) <= LONGEST
    assert time.process_time() - start < 5


@pytest.mark.parametrize("cites", ["[k1]", "k1, k2", ["k1", "k2"], [1, 2], 3, "k1 k2", [["k1"]], None, {}])
def test_ids_in_any_form_are_texts(cites: object) -> None:
    found = list(Parser().feed(json.dumps({"text": "A.", "cites": cites})))
    assert all(isinstance(name, str) and name for w in found for name in w.ids)


# -- rewriting ---------------------------------------------------------------------------------------------------------

HISTORY: list[Turn] = [
    {"role": "user", "content": "What was B12 in Canadian mothers?"},
    {"role": "assistant", "content": "Canadian mothers had a median serum B12 of 348 pmol/L."},
]


@pytest.mark.parametrize(
    "said",
    [
        "What was B12 in Canadian babies?",
        'Question: "What was the level of B12 in Canadian babies?"',
        "```\nWhat was B12 in babies?\n```",
    ],
)
def test_a_faithful_rewriting_is_taken(said: str, serve: Callable[..., tuple[LLMServer, LanguageModel]]) -> None:
    _, model = serve(lambda request: Reply(said))
    assert model.rewrite("And the babies?", HISTORY).startswith("What was")


@pytest.mark.parametrize(
    "said",
    [
        "What was B12 in Peruvian babies?",
        "Did babies have 291 pmol/L?",
        "What dose of B12 do babies get?",
        "Yes.\nWhat?",
        "",
        "x" * 900,
    ],
    ids=["name", "number", "term", "two lines", "empty", "long"],
)
def test_a_rewriting_that_brings_something_in_is_refused(
    said: str, serve: Callable[..., tuple[LLMServer, LanguageModel]]
) -> None:
    _, model = serve(lambda request: Reply(said))
    with pytest.raises(ModelFailure) as caught:
        model.rewrite("And the babies?", HISTORY)
    assert "Peruvian" not in str(caught.value)


def test_a_translated_question_keeps_its_numbers_and_names() -> None:
    asked = ["Pourquoi 348 pmol/L au Canada ?"]
    assert brought_in("Why 348 pmol/L in Canada?", asked, translated=True) == []
    assert brought_in("Why 350 pmol/L in Peru?", asked, translated=True) == ["350", "peru"]


# -- languages ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        ("What were the babies' B12 levels in Cambodia?", "en"),
        ("b12 levels moms canada", "en"),
        ("Hi", "en"),
        ("résumé of the study?", "en"),
        ("Is there a difference between Phnom Penh and Prey Veng?", "en"),
        ("Quel était le taux de B12 des mères au Canada ?", "fr"),
        ("Combien de mères ont participé à l'étude ?", "fr"),
        ("¿Cuál fue el nivel de B12 en la leche?", "es"),
        ("cuantas madres participaron en el estudio", "es"),
        ("តើកម្រិតវីតាមីន B12 នៅកម្ពុជាប៉ុន្មាន?", "km"),
        ("Wie hoch war der B12-Wert der Mütter in Kanada?", "de"),
        ("Сколько матерей участвовало?", "ru"),
        ("母乳中的B12是多少?", "zh"),
        ("", "en"),
        ("348 171 ???", "en"),
    ],
)
def test_language(asked: str, language: str) -> None:
    assert language_of(asked) == language


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Les mères canadiennes avaient un taux sérique médian de B12 plus élevé (348 pmol/L vs. 171 pmol/L).", True),
        ("Les mères canadiennes avaient un taux sérique médian de B12 plus bas (348 pmol/L vs. 171 pmol/L).", False),
        ("Les mères canadiennes avaient un taux sérique médian de B12 plus élevé (384 pmol/L vs. 171 pmol/L).", False),
        ("Les bébés canadiens avaient un taux médian de B12 plus élevé (348 pmol/L vs. 171 pmol/L).", False),
        (
            "Les mères cambodgiennes avaient un taux sérique médian de B12 plus élevé (348 pmol/L vs. 171 pmol/L).",
            False,
        ),
        ("Les mères canadiennes n'avaient pas un taux médian plus élevé (348 pmol/L vs. 171 pmol/L).", False),
        ("", False),
    ],
)
def test_french_is_shown_only_where_it_says_what_its_english_says(
    text: str, shown: bool, serve: Callable[..., tuple[LLMServer, LanguageModel]], given: list[Sentence], study: Study
) -> None:
    english = "Canadian mothers had higher median serum B12 (348 pmol/L vs. 171 pmol/L)."
    _, model = serve(lambda r: Reply(statements((text, [r.id_of("348 pmol/L vs. 171")]), english=[english])))
    drafts = Support(study, SaysYes()).holding(model.drafts("Why?", given, "parent", "fr"))
    assert [draft.text for draft in drafts] == ([text] if shown else [])


def test_a_language_without_a_check_is_not_shown(study: Study, given: list[Sentence]) -> None:
    draft = Draft(
        "Kanadische Mütter hatten 348 pmol/L.", (given[0],), english="Canadian mothers had 348 pmol/L.", language="de"
    )
    assert Support(study, SaysYes()).faults(draft)[0].kind == "translation"


# -- a real model, however small -----------------------------------------------------------------------------------------  # noqa: E501


def tiny(folder: Path) -> Path:
    """Build and save a transformers chat model of random weights: its words mean nothing, its loading is real."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=300, special_tokens=["<unk>", "<s>", "</s>"], initial_alphabet=alphabet)
    tokenizer.train_from_iterator(["mothers milk infants B12"], trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="<unk>", bos_token="<s>", eos_token="</s>", pad_token="</s>"
    )
    fast.chat_template = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}assistant:"
    config = LlamaConfig(
        vocab_size=len(fast), hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
        max_position_embeddings=16384, bos_token_id=1, eos_token_id=2,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    fast.save_pretrained(folder)
    return folder


def test_a_real_transformers_model_behind_the_server(
    serve: Callable[..., tuple[LLMServer, LanguageModel]], given: list[Sentence], study: Study, tmp_path: Path
) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = tiny(tmp_path)
    loaded, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    wrote = []

    def script(request: Request) -> Reply:
        asked = tokenizer.apply_chat_template(request.body["messages"], tokenize=False)
        tokens = tokenizer(asked, return_tensors="pt")
        with torch.no_grad():
            made = loaded.generate(**tokens, max_new_tokens=12, min_new_tokens=12, do_sample=False)
        wrote.append(tokenizer.decode(made[0][tokens["input_ids"].shape[1] :]))
        return Reply(wrote[-1] or "?")

    _, model = serve(script, model_timeout=20.0, model_budget=40.0)
    with pytest.raises(ModelFailure) as caught:
        list(Support(study, SaysYes()).holding(model.drafts("What was B12?", given, "parent")))
    assert caught.value.reason == "unusable"
    assert wrote and wrote[0]


def test_a_real_transformers_model_through_its_own_provider(
    given: list[Sentence], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("langchain_huggingface", reason="pip install study-assistant[huggingface]")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(providers, "MOST_TOKENS", 12)
    chosen = Settings(model=f"huggingface:{tiny(tmp_path)}", model_timeout=60.0, model_budget=90.0)
    model = LanguageModel.open(chosen, Messages.load(chosen.prompts))
    assert model is not None
    with pytest.raises(ModelFailure) as caught:
        list(model.drafts("What was B12?", given, "parent"))
    assert caught.value.reason == "unusable"
