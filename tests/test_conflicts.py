"""Where the study page and the published paper disagree: every row of published-record.md, and no more."""

import dataclasses
from pathlib import Path

import pytest

from assistant.agreement import asks_about_agreement
from assistant.comparing import verdict
from assistant.conflicts import find, touching
from assistant.corpus import read_corpus
from assistant.messages import Messages
from assistant.notices import agreement, notice
from assistant.numerals import unsupported
from assistant.overview import as_table, rows
from assistant.ratios import ratios
from assistant.records import Citation

ROOT = Path(__file__).resolve().parents[1]
B12 = read_corpus(ROOT / "corpus").study("28287490")
DROPS = read_corpus(ROOT / "tests" / "data" / "corpus").study("99000001")
MESSAGES = Messages.load(ROOT / "prompts")
AUDIENCES = ("parent", "clinician")


def found(study):
    return {(d.about, d.measure, d.who, d.cohort): d for d in find(study)}


def sides(d):
    return [[f.statistic if f.value is None else f.value for f in side] for side in (d.page, d.published)]


ROWS = [
    pytest.param("count", "pairs studied", "dyad", "Canada", [[40], [124]], id="pairs Canada"),
    pytest.param("count", "pairs studied", "dyad", "Cambodia", [[67], [69]], id="pairs Cambodia"),
    pytest.param("statistic", "vitamin B12", "mother", "Canada", [[348], [698]], id="mother Canada"),
    pytest.param("statistic", "vitamin B12", "mother", "Cambodia", [[171], [620]], id="mother Cambodia"),
    pytest.param("statistic", "vitamin B12", "infant", "Canada", [[291], [506]], id="infant Canada"),
    pytest.param("statistic", "vitamin B12", "infant", "Cambodia", [[145], [357]], id="infant Cambodia"),
    pytest.param("statistic", "vitamin B12", "milk", "Canada", [[347], [452]], id="milk Canada"),
    pytest.param("statistic", "vitamin B12", "milk", "Cambodia", [[148], [317]], id="milk Cambodia"),
    pytest.param(
        "correlation", "mother–infant B12 correlation", "dyad", "Cambodia", [[0.2], ["correlated"]], id="correlation"
    ),
    pytest.param(
        "state", "B12 supplementation", "mother", "Canada", [["not supplemented"], ["supplemented"]], id="supplements"
    ),
    pytest.param(
        "ranking",
        "mother–infant B12 correlation",
        "dyad",
        "Canada, Cambodia",
        [[0.51, 0.2], ["correlated", "correlated"]],
        id="stronger link",
    ),
    pytest.param("cut_off", "B12-sufficient (> 221 pmol/L)", "mother", "Cambodia", [[171], [97]], id="status mother"),
    pytest.param("cut_off", "B12-sufficient (> 221 pmol/L)", "infant", "Cambodia", [[145], [84]], id="status infant"),
]


@pytest.mark.parametrize(("about", "measure", "who", "cohort", "values"), ROWS)
def test_every_row_of_the_table_is_found(about, measure, who, cohort, values):
    assert sides(found(B12)[about, measure, who, cohort]) == values


def test_nothing_else_is_found():
    assert len(find(B12)) == len(ROWS)
    # The one row on which both are right: r = 0.51 with p = 0.003 is "correlated, p < 0.05".
    assert ("correlation", "mother–infant B12 correlation", "dyad", "Canada") not in found(B12)
    # 348 and 291 pmol/L are on the same side of the cut-off as 99 % and 94 % of the people.
    assert not any(d.cohort == "Canada" for d in find(B12) if d.about == "cut_off")


@pytest.mark.parametrize("audience", AUDIENCES)
@pytest.mark.parametrize(("about", "measure", "who", "cohort", "values"), ROWS)
def test_every_row_is_told_with_both_sides_cited(about, measure, who, cohort, values, audience):
    said = notice(B12, [found(B12)[about, measure, who, cohort]], audience, MESSAGES)
    (conflict,) = said.conflicts
    for citation in (conflict.page_citation, conflict.published_citation):
        assert B12.source(citation.source).text[citation.start : citation.end] == citation.quote
        assert f"[{citation.number}]" in said.text
    assert (conflict.page_citation.source, conflict.published_citation.source) == ("technical", "published")
    assert "study page" in said.text and "published paper" in said.text
    quotes = f"{conflict.page_citation.quote} {conflict.published_citation.quote}"
    text = said.text.replace(f"[{conflict.page_citation.number}]", "").replace(
        f"[{conflict.published_citation.number}]", ""
    )
    assert not unsupported(text, quotes)
    for value in (value for side in values for value in side):
        shown = {"0.2": "0.20"}.get(f"{value:g}", f"{value:g}") if isinstance(value, (int, float)) else ""
        assert shown in said.text


def test_a_clinician_gets_n_statistic_interval_and_p_and_a_parent_does_not():
    d = found(B12)["statistic", "vitamin B12", "mother", "Canada"]
    for_clinicians, for_parents = (notice(B12, [d], audience, MESSAGES).text for audience in ("clinician", "parent"))
    assert "348 pmol/L (median; n=40; p<0.001)" in for_clinicians
    assert "698 pmol/L (geometric mean; 95% CI 648–747; n=124)" in for_clinicians
    assert "n=" not in for_parents and "p<" not in for_parents and "CI" not in for_parents


def test_one_notice_stays_short_however_many_differ():
    said = notice(B12, find(B12), "parent", MESSAGES)
    assert said.text.count("\n") == 0 and len(said.text) < 700
    assert len(said.conflicts) == len(ROWS)
    assert "7 more" in said.text


def test_a_quote_that_is_already_cited_keeps_its_number():
    d = found(B12)["statistic", "vitamin B12", "milk", "Canada"]
    first = notice(B12, [d], "parent", MESSAGES)
    page = dataclasses.replace(first.conflicts[0].page_citation, number=7)
    again = notice(B12, [d], "parent", MESSAGES, taken=[page])
    assert again.conflicts[0].page_citation == page
    assert [c.number for c in again.citations] == [8]


def test_the_second_study_needs_no_code():
    assert {key: sides(d) for key, d in found(DROPS).items()} == {
        ("count", "toddlers studied", "toddler", "High dose"): [[49], [47]],
        ("state", "iron drops", "toddler", "Low dose"): [["not given"], ["given"]],
        ("level", "vitamin D", "toddler", "High dose"): [[88], [74]],
        ("statistic", "ferritin", "toddler", "High dose"): [[31], [28]],
        ("correlation", "vitamin D–night sleep correlation", "toddler", "High dose"): [[0.42], ["not correlated"]],
    }


@pytest.mark.parametrize("audience", AUDIENCES)
def test_the_second_study_is_listed_with_citations_that_hold(audience):
    said = notice(DROPS, find(DROPS), audience, MESSAGES, whole=True)
    assert said.text.count("\n- ") == 5 == len(said.conflicts)
    assert all(DROPS.source(c.source).text[c.start : c.end] == c.quote for c in said.citations)
    assert {c.pmid for c in said.citations} == {"99000001"}


def finding(**changes):
    base = next(
        f
        for f in B12.findings
        if (f.source, f.who, f.cohort, f.statistic) == ("technical", "mother", "Canada", "median")
    )
    return dataclasses.replace(base, **changes)


def correlation(value=None, p="", statistic="r"):
    return finding(measure="B12 correlation", statistic=statistic, value=value, p=p, unit="")


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        (finding(value=348.0), finding(value=348.4), "agree"),
        (finding(value=350.0), finding(value=348.0), "agree"),
        (finding(value=400.0), finding(value=351.0), "differ"),
        (finding(value=348.0), finding(value=349.0), "differ"),
        (finding(value=348.0), finding(value=0.348, unit="nmol/L"), "agree"),
        (finding(value=348.0), finding(value=0.171, unit="nmol/L"), "differ"),
        (finding(value=348.0), finding(value=470.0, unit="pg/mL"), "incomparable"),
        (
            finding(statistic="count", unit="pairs", value=40.0),
            finding(statistic="count", unit="pairs", value=41.0),
            "differ",
        ),
        (
            finding(statistic="percent", unit="%", value=97.0),
            finding(statistic="percent", unit="%", value=96.9),
            "agree",
        ),
        (correlation(0.51, "0.003"), correlation(None, "<0.05", "correlated"), "agree"),
        (correlation(0.20, "0.27"), correlation(None, "<0.001", "correlated"), "differ"),
        (correlation(0.51, "0.003"), correlation(None, "<0.001", "correlated"), "differ"),
        (correlation(0.51, "0.003"), correlation(None, "", "not correlated"), "differ"),
        (correlation(0.20, "0.27"), correlation(None, "", "not correlated"), "agree"),
        (correlation(0.20, ""), correlation(None, "<0.05", "correlated"), "incomparable"),
        (correlation(0.20, "0.27"), correlation(0.2, "0.27"), "agree"),
    ],
)
def test_rounding_units_and_p_values_are_no_conflicts(one, other, said):
    assert verdict(one, other) == said
    assert verdict(other, one) == said


def citing(study, source, start):
    sentence = next(s for s in study.sentences if s.source == source and s.text.startswith(start))
    return Citation(1, study.pmid, source, sentence.section, sentence.text, sentence.start, sentence.end, study.url)


def touched(study, *cited, text=None):
    return {(d.about, d.who, d.cohort) for d in touching(study, find(study), cited=cited, text=text)}


def test_an_answer_that_uses_a_side_touches_its_conflict():
    assert touched(B12, citing(B12, "summary", "What they took")) == {("state", "mother", "Canada")}
    assert touched(B12, citing(B12, "published", "The Canadian mothers took")) == {("state", "mother", "Canada")}
    assert touched(B12, citing(B12, "summary", "Connection: There was a stronger")) == {
        ("ranking", "dyad", "Canada, Cambodia")
    }
    assert touched(B12, citing(B12, "summary", "Who was studied")) == {
        ("count", "dyad", "Canada"),
        ("count", "dyad", "Cambodia"),
    }
    assert touched(B12, citing(B12, "technical", "Breast milk B12 concentrations")) == {
        ("statistic", "milk", "Canada"),
        ("statistic", "milk", "Cambodia"),
    }
    assert touched(B12, citing(B12, "technical", "A moderate positive")) == {("correlation", "dyad", "Cambodia")}
    assert touched(B12, citing(B12, "published", "Of the infants")) == {("cut_off", "infant", "Cambodia")}


def test_only_the_figures_that_are_shown_count():
    cited = citing(B12, "technical", "Canadian mothers had higher median")
    assert touched(B12, cited, text="In Cambodia, babies' blood vitamin B12 was 145 pmol/L. [1]") == {
        ("statistic", "infant", "Cambodia")
    }


@pytest.mark.parametrize(
    ("source", "start"),
    [
        ("summary", "Canadian Mothers: Had higher"),
        ("summary", "How long: The Canadian group"),
        ("summary", "Vitamin B12 is crucial"),
        ("summary", "Vegetarian or Vegan Moms"),
        ("summary", "They can recommend blood tests"),
        ("summary", "No dietary details"),
        ("technical", "Demographics included"),
        ("technical", "The cross-sectional design"),
        ("published", "Samples were taken at 8 weeks"),
        ("published", "The paper is an exploratory"),
        ("published", "The Cambodian mothers were not supplemented"),
    ],
)
def test_no_conflict_is_touched_where_none_is(source, start):
    assert touched(B12, citing(B12, source, start)) == set()


def test_nothing_is_said_where_nothing_differs():
    agreeing = dataclasses.replace(B12, findings=tuple(f for f in B12.findings if f.source == "published"))
    assert find(agreeing) == ()
    assert notice(agreeing, (), "parent", MESSAGES) is None
    assert touching(DROPS, find(DROPS), cited=[citing(DROPS, "technical", "Mean night sleep")]) == ()
    assert as_table([agreeing]) == "No disagreement between the sources of 1 study."


@pytest.mark.parametrize("audience", AUDIENCES)
def test_asked_directly_it_gives_the_list_or_says_that_there_is_none(audience):
    assert agreement(B12, audience, MESSAGES).text.count("\n- ") == 9
    one_sided = dataclasses.replace(DROPS, findings=tuple(f for f in DROPS.findings if f.source == "technical"))
    assert agreement(one_sided, audience, MESSAGES).text == MESSAGES.say("conflicts.one_sided", audience)
    sleep = dataclasses.replace(DROPS, findings=tuple(f for f in DROPS.findings if f.measure == "night sleep"))
    assert agreement(sleep, audience, MESSAGES).text == MESSAGES.say("conflicts.none", audience)


def test_one_study_never_touches_the_conflicts_of_another():
    cited = citing(DROPS, "technical", "Mean serum vitamin D")
    assert touching(B12, find(B12), cited=[cited]) == ()


def test_stated_ratios_are_checked_against_their_figures():
    assert [(str(r.stated), r.holds) for r in ratios(B12)] == [("2.03", True), ("2.01", True), ("2.34", True)]
    assert [(str(r.stated), str(r.computed), r.holds) for r in ratios(DROPS)] == [
        ("2.6", "2.1", False),
        ("1.5", "1.5", True),
    ]


def test_the_overview_lists_both_studies_with_places():
    listed = rows([B12, DROPS])
    assert len(listed) == len(ROWS) + 5 + 1
    for row in listed:
        study = B12 if row["pmid"] == B12.pmid else DROPS
        for place in row["where"]:
            assert place["spans"]
            assert all(end <= len(study.source(place["source"]).text) for _, end in place["spans"])
    table = as_table([B12, DROPS])
    assert len(table.splitlines()) == 1 + len(listed)
    assert "348 pmol/L, median, n=40, p<0.001" in table and "2.6x (technical)" in table


YES = """does this page match the paper?
which figures differ?
can I trust these numbers?
Is the website consistent with the published abstract?
Are there any discrepancies between the summary and the publication?
Is this page accurate?
Do the two sources contradict each other?
Why are the numbers different from the abstract?
are the figures for Canada on the page the same as in the paper?
Do the mothers' figures on this page agree with the paper?
List the disagreements
The abstract says 124 Canadian dyads, your page says 40. Which is it?
someone says the actual paper has way more women in it than this page says. is that true?
do the Canadian values agree with the original on this page?
How trustworthy is this page?"""
NO = """Give me a summary of the paper
what pages is the article on
What does the paper say? The page is too long
95% CI for the between-site difference in infant B12?
Did B12 levels differ between the two countries?
Do these results agree with other studies?
Did the authors declare a conflict of interest?
Is my baby's number right?
Which figures differ between Canada and Cambodia?
Is it true that B12 helps the brain?
Were mothers and babies tested at the same time?
What is the correct dose of B12?
Are the results for mothers and babies the same?
How accurate was the immunoassay?
What was the babies' B12 in Cambodia?"""


@pytest.mark.parametrize("question", YES.splitlines())
def test_asked_whether_the_sources_agree(question):
    assert asks_about_agreement(question, B12)


@pytest.mark.parametrize("question", NO.splitlines())
def test_not_asked_whether_the_sources_agree(question):
    assert not asks_about_agreement(question, B12)
