"""Which findings a question asks about, and the sentence that gives them."""

from pathlib import Path

import pytest

from assistant.compose.figured import by_part
from assistant.corpus import read_corpus
from assistant.figures import matching, sources_named
from assistant.messages import Messages
from assistant.numerals import unsupported
from assistant.phrasing import sentence
from assistant.standing import evidence

ROOT = Path(__file__).resolve().parents[1]
B12 = read_corpus(ROOT / "corpus").study("28287490")
DROPS = read_corpus(ROOT / "tests" / "data" / "corpus").study("99000001")
MESSAGES = Messages.load(ROOT / "prompts")
PAGE = ("summary", "technical")


def values(question, study, *sources):
    asked = matching(question, study)
    return [
        f.value if f.value is not None else f.statistic for f in (asked.of(*sources) if sources else asked.findings)
    ]


@pytest.mark.parametrize(
    ("question", "page", "published"),
    [
        ("What was the babies' B12 in Cambodia?", [145], [357]),
        ("How high was B12 in Canadian moms?", [348], [698]),
        ("Could you tell me the B12 level in newborns?", [291, 145], [506, 357]),
        ("how much vitamin b-12 was in breastmilk in Prey Veng", [148], [317]),
        ("What was the mothers' breast milk B12 in Vancouver?", [347], [452]),
        ("What was the median serum B12 of Canadian mothers?", [348], []),
        ("What was the geometric mean for infants?", [], [506, 357]),
        ("What is the 95% CI for infant B12 in Cambodia?", [], [357]),
        ("what was the p-value for breast milk B12", [347, 148], []),
        ("What was the B12 in breast milk according to the published abstract?", [], [452, 317]),
        ("What was the milk B12 concentration on this page?", [347, 148], []),
        ("how many pairs were in the study", [40, 67], [124, 69]),
        ("How many mothers were in the Cambodian group?", [67], [69]),
        ("What percent of Cambodian infants were B12 sufficient?", [], [84]),
        ("How many infants had enough B12 in Cambodia?", [], [84]),
        ("What was the correlation between mothers' and babies' B12 in Cambodia?", [0.2], ["correlated"]),
        ("Was moms' B12 linked to babies' B12 in Canada?", [0.51], ["correlated"]),
        ("Did the Canadian mothers take B12 supplements?", ["not supplemented"], ["supplemented"]),
    ],
)
def test_a_question_gets_the_findings_that_it_asks_for(question, page, published):
    assert values(question, B12, *PAGE) == page
    assert values(question, B12, "published") == published


@pytest.mark.parametrize(
    ("question", "page", "published"),
    [
        ("What was vitamin D in the high dose group?", [88], [74]),
        ("What was the vitamin D level at low and high dose?", [63, 88], [63.4, 74]),
        ("How high was the vitamin D in the low dose group according to the paper?", [], [63.4]),
        ("How long was night sleep on placebo?", [10.4], [10.4]),
        ("what was the ferritin?", [24, 25, 31], [24, 25, 28]),
        ("How many toddlers were in the high dose group?", [49], [47]),
        ("Did the low dose group get iron drops?", ["not given"], ["given"]),
        ("What share stopped early?", [], [6, 4, 9]),
    ],
)
def test_another_study_needs_no_code(question, page, published):
    assert values(question, DROPS, *PAGE) == page
    assert values(question, DROPS, "published") == published


@pytest.mark.parametrize(
    "question",
    [
        "What was the zinc level in mothers?",
        "What was the birth weight of babies in Canada?",
        "How much B12 should babies have?",
        "how much vitamin b12 did my baby get",
        "Why was B12 lower in Cambodia?",
        "How much B12 is in eggs?",
        "What is vitamin B12?",
        "Does B12 help brain development?",
        "What was B12 in Norwegian mothers?",
        "What was the mothers' folate and B12 level?",
        "What was B12 at 6 months in babies?",
        "How old were the babies?",
        "How many mothers were vegetarian?",
        "How many mothers in Canada took supplements?",
        "what was the median age of the mothers",
        "Were Cambodian mothers B12 deficient?",
        "What was vitamin D in the high dose group?",
        "How many toddlers were in the high dose group?",
        "",
    ],
)
def test_a_question_about_anything_else_gets_none(question):
    assert not matching(question, B12)


@pytest.mark.parametrize(
    "question",
    ["What was the babies' B12 in Cambodia?", "What is the dose of vitamin D?", "how many pairs were studied"],
)
def test_no_study_answers_for_another(question):
    assert not matching(question, DROPS)


@pytest.mark.parametrize("study", [B12, DROPS], ids=lambda s: s.pmid)
def test_every_finding_stands_in_its_evidence_to_the_character(study):
    for finding in study.findings:
        held = evidence(study, finding, with_n=True)
        assert held, finding
        text = study.source(finding.source).text
        assert all(text[s.start : s.end] == s.text for s in held)
        given = " ".join(s.text for s in held)
        needed = [finding.value, finding.low, finding.high, finding.n]
        assert not unsupported(" ".join(f"{value:g}" for value in needed if value is not None), given), finding


def test_denied_and_affirmed_are_found_where_they_are_said():
    told = {(f.source, f.cohort): evidence(B12, f)[0].text for f in B12.findings if f.measure == "B12 supplementation"}
    assert told["technical", "Canada"] == "No vitamin B12 supplementation was administered in this study."
    assert told["published", "Canada"].startswith("The Canadian mothers took a daily")
    assert told["published", "Cambodia"] == "The Cambodian mothers were not supplemented."


@pytest.mark.parametrize("audience", ["parent", "clinician"])
@pytest.mark.parametrize("study", [B12, DROPS], ids=lambda s: s.pmid)
def test_every_number_of_a_sentence_stands_in_what_it_cites(study, audience):
    for source in ("technical", "published"):
        for measure in dict.fromkeys(f.measure for f in study.findings if f.source == source):
            said = sentence(
                study, [f for f in study.findings if (f.source, f.measure) == (source, measure)], audience, MESSAGES
            )
            assert said is not None
            assert not unsupported(said.text, " ".join(s.text for s in said.evidence))
            assert {s.source for s in said.evidence} == {source}


@pytest.mark.parametrize(
    ("study", "question", "source", "audience", "text"),
    [
        (
            B12,
            "What was the babies' B12?",
            "technical",
            "parent",
            "In Canada, babies' blood vitamin B12 was 291 pmol/L; in Cambodia it was 145 pmol/L.",
        ),
        (
            B12,
            "What was the babies' B12?",
            "technical",
            "clinician",
            "Infant vitamin B12, Canada: 291 pmol/L (n=40), Cambodia: 145 pmol/L (n=67); p<0.001.",
        ),
        (
            B12,
            "What was the babies' B12 in Cambodia?",
            "published",
            "clinician",
            "Infant vitamin B12 (geometric mean), Cambodia: 357 pmol/L (95% CI 312–402; n=69).",
        ),
        (
            B12,
            "Was mothers' B12 correlated with babies' B12?",
            "technical",
            "parent",
            "Mother–infant B12 correlation: a link (r = 0.51) in Canada; no clear link (r = 0.20) in Cambodia.",
        ),
        (
            DROPS,
            "What was vitamin D on placebo?",
            "published",
            "parent",
            "In the placebo group, toddlers' blood vitamin D was 41.2 nmol/L.",
        ),
    ],
)
def test_the_sentence_says_what_was_asked_for(study, question, source, audience, text):
    assert sentence(study, matching(question, study).of(source), audience, MESSAGES).text == text


def test_no_sentence_mixes_sources():
    with pytest.raises(ValueError, match="one source"):
        sentence(B12, matching("What was the babies' B12?", B12).findings, "parent", MESSAGES)


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("What does the paper say about vegans?", ("published",)),
        ("in the published abstract, who was studied", ("published",)),
        ("What does this page say about vegans?", ("summary", "technical")),
        ("does the page match the paper", ()),
        ("What was found in milk?", ()),
    ],
)
def test_the_source_that_is_asked_for_is_known(question, names):
    assert sources_named(question, B12) == names


@pytest.mark.parametrize(
    "question",
    [
        "How many authors wrote the paper?",
        "How many groups were there?",
        "How many breast milk samples were there?",
        "What does the B12 level mean for babies?",
        "How much B12 was in cow's milk?",
        "How is B12 related to brain development?",
        "What was the standard deviation of B12 in mothers?",
        "Do vegan mothers have lower B12 levels?",
    ],
)
def test_what_sounds_alike_is_not_matched(question):
    assert not matching(question, B12)


@pytest.mark.parametrize(
    "question",
    [
        "Did Canadian mothers have more babies than Cambodian mothers?",
        "How much milk do Cambodian mothers have?",
        "how long were mothers breastfeeding their babies?",
        "Did all the babies have breast milk?",
        "How much B12 do I need?",
        "How was B12 measured in the samples?",
        "what does b12 actually do for a newborn",
        "who were the mothers and babies?",
    ],
)
def test_a_question_that_asks_for_no_figure_gets_none(question):
    assert not matching(question, B12)


def test_figures_part_by_part_and_the_part_that_has_none():
    both, rest = by_part("Sample size plus milk B12, per site", B12, "clinician", MESSAGES)
    assert both.complete and rest == ()
    assert {finding.value for finding in both.findings} == {40, 67, 347, 148}
    one, rest = by_part("What was milk B12 in Canada and what was the folate level?", B12, "clinician", MESSAGES)
    assert [finding.value for finding in one.findings] == [347] and not one.complete
    assert len(rest) == 1 and "folate" in rest[0]
    scoped, rest = by_part("In preterm babies, what was the B12 level, and maternal B12?", B12, "clinician", MESSAGES)
    assert not scoped and rest == ()
