"""Every metric on cases small enough to work out by hand."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from ragbots.errors import ConfigurationError
from ragbots.evaluation import (
    Record,
    Report,
    compare,
    gate,
    groundedness,
    load_questions,
    load_report,
    run,
    summary_rows,
)
from ragbots.evaluation.matching import folded, stands_in, stated
from ragbots.evaluation.page import confidence_bars, length_bars, report_page
from ragbots.figures import unsupported
from ragbots.regulation.address import parse_address
from ragbots.types import (
    Answer,
    Candidate,
    Chunk,
    Citation,
    Context,
    Document,
    Hit,
    Notice,
    Principal,
    Question,
    Status,
)

TODAY = date(2026, 11, 23)
CONTEXT = Context(Principal("someone"), TODAY)
BOTS = ("leave", "pay")


def record(**values: object) -> Record:
    base = {"id": "q1", "bot": "leave", "question": "며칠 쉬나요?", "gold": [{"source": "복무.md", "article": "제3조"}]}
    return Record.model_validate(base | values)


def hit(source: str, address: str) -> Hit:
    document = Document(id=source, source=source, title=source, digest="", elements=())
    chunk = Chunk(f"{source}{address}", source, parse_address(address), (), "", "", (0, 1))
    return Hit(chunk, document, 1.0, 1.0, 1.0)


def citation(source: str = "복무.md", article: str | None = "제3조") -> Citation:
    return Citation(f"{source}#{article}", source, source, article, article or "", "", None, None)


def answer(text: str = "15일입니다. [1]", status: Status = Status.ANSWERED, **values: object) -> Answer:
    base: dict[str, object] = {
        "id": "a",
        "conversation_id": "c",
        "status": status,
        "answer": text,
        "bot": "leave",
        "candidates": (),
        "confidence": 1.0,
        "as_of": TODAY,
        "index_version": "v1",
        "citations": (citation(),) if status is Status.ANSWERED else (),
    }
    return Answer(**(base | values))  # type: ignore[arg-type]


class World:
    """Scripted answers by question, scripted hits by bot; remembers what was asked of it."""

    def __init__(self, answers: Mapping[str, Answer], hits: Mapping[str, list[Hit]], passage: str = "") -> None:
        self.answers, self.hits, self.passage = answers, hits, passage
        self.asked: list[tuple[Question, Context]] = []
        self.ranked: list[tuple[str, Context]] = []

    def ask(self, question: Question, context: Context) -> Answer:
        self.asked.append((question, context))
        return self.answers[question.text]

    def rank(self, bot: str, question: Question, context: Context, k: int) -> list[Hit]:
        self.ranked.append((bot, context))
        return self.hits.get(bot, [])[:k]

    def passage_text(self, citation: Citation, context: Context) -> str:
        return self.passage


def judge(
    records: list[Record], answers: list[Answer], hits: Mapping[str, list[Hit]] | None = None, passage: str = ""
) -> Report:
    named = [one.model_copy(update={"question": f"{one.question} ({number})"}) for number, one in enumerate(records)]
    world = World({one.question: reply for one, reply in zip(named, answers, strict=True)}, hits or {}, passage)
    return run(named, ask=world.ask, rank=world.rank, passage_text=world.passage_text, bots=BOTS, context=CONTEXT)


# --- question files ------------------------------------------------------------------------------


def write(path: Path, *lines: object) -> Path:
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines), "utf-8")
    return path


def test_notes_of_the_authors_are_passed_over(tmp_path: Path) -> None:
    path = write(tmp_path / "q.jsonl", {"id": "a", "question": "?", "gold": [], "note": "x", "pending": [1]}, "")
    assert [one.id for one in load_questions([path])] == ["a"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('{"id": ', "not JSON"),
        ('{"id": "b", "question": "?"}', "`gold`"),
        ('{"id": "b", "question": " ", "gold": []}', "`question`"),
        ('{"id": "b", "question": "?", "gold": [], "as_of": "2026-13-01"}', "`as_of`"),
        ('{"id": "a", "question": "?", "gold": []}', "used before"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, line: str, says: str) -> None:
    path = write(tmp_path / "q.jsonl", {"id": "a", "question": "?", "gold": []}, line)
    with pytest.raises(ConfigurationError, match=says) as caught:
        load_questions([path])
    assert "q.jsonl:2" in str(caught.value)


def test_missing_and_empty_files_are_errors(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere\.jsonl: cannot be read"):
        load_questions([tmp_path / "nowhere.jsonl"])
    with pytest.raises(ConfigurationError, match="no questions"):
        load_questions([write(tmp_path / "q.jsonl", "")])


def test_a_record_of_a_bot_that_is_not_here_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match=r"`cafeteria` \(q1\)"):
        judge([record(bot="cafeteria")], [answer()])


# --- matching ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "text", "stands"),
    [
        ("5일", "연 15일입니다", False),
        ("5일", "연 5일입니다", True),
        ("5일", "1.5일입니다", False),
        ("5일", "끝입니다. 5일 쉽니다", True),  # a full stop is no decimal point
        ("5일", "15일 가운데 5일", True),
        ("15일", "15 일", True),
        ("50,000원", "50000원", True),
        ("1000분의 31", "1,000분의 31", True),
        ("일ㆍ가정", "일·가정 양립", True),
        ("일·가정", "일ㆍ가정 양립", True),
        ("배우자 또는 자녀", "배우자\n또는자녀", True),
        ("가, 나", "가 나", False),  # only commas inside numbers are dropped
    ],
)
def test_words_stand_in_a_text(words: str, text: str, stands: bool) -> None:
    assert stands_in(words, folded(text)) is stands


def test_an_accepted_spelling_counts() -> None:
    assert stated(["100분의 50", "5일"], {"100분의 50": ("50%",)}, "50%이고 15일") == [True, False]


# --- routing -------------------------------------------------------------------------------------


def test_routing_is_judged_where_a_bot_is_named() -> None:
    candidates = tuple(Candidate(name, name, 0.5) for name in ("pay", "leave"))
    asked_back = answer("어느 쪽인가요?", Status.CLARIFY, bot=None, candidates=candidates)
    total = judge(
        [record(id="a"), record(id="b"), record(id="c"), record(id="d", bot=None)],
        [answer(), answer(bot="pay"), asked_back, answer(bot="pay")],
    ).total
    assert total.routing_accuracy == pytest.approx(1 / 3)
    assert total.routing_top3 == pytest.approx(2 / 3)


# --- retrieval -----------------------------------------------------------------------------------


def test_recall_and_mrr_with_the_right_bot_and_end_to_end() -> None:
    hits = {
        "leave": [hit("복무.md", "제9조"), hit("복무.md", "제3조"), hit("복무.md", "제4조"), hit("복무.md", "제5조")],
        "pay": [hit("보수.md", "제3조")],
    }
    gold = [{"source": "복무.md", "article": "제3조"}, {"source": "복무.md", "article": "제5조"}]
    report = judge([record(id="a", gold=gold), record(id="b")], [answer(), answer(bot="pay")], hits)
    total = report.total
    assert (total.recall_1, total.recall_3, total.recall_5, total.mrr) == (0.0, 0.75, 1.0, 0.5)
    # the second was sent to the bot that does not have it
    assert (total.end_to_end.recall_3, total.end_to_end.recall_10, total.end_to_end.mrr) == (0.25, 0.5, 0.25)
    assert report.records[0].ranked[1] == ("복무.md", "제3조")


def test_without_a_chosen_bot_end_to_end_finds_nothing() -> None:
    hits = {"leave": [hit("복무.md", "제3조")]}
    total = judge([record()], [answer("?", Status.CLARIFY, bot=None)], hits).total
    assert (total.recall_1, total.end_to_end.recall_1) == (1.0, 0.0)


def test_two_golds_in_one_article_are_one() -> None:
    gold = [{"source": "복무.md", "article": "제3조", "paragraph": part} for part in ("제1항", "제2항")]
    assert judge([record(gold=gold)], [answer()], {"leave": [hit("복무.md", "제3조")]}).total.recall_1 == 1.0


@pytest.mark.parametrize(
    ("gold", "found"),
    [
        ({"source": "복무.md", "article": "제3조"}, 1.0),
        ({"source": "2026/복무.md", "article": "제3조"}, 1.0),
        ({"source": "2025/복무.md", "article": "제3조"}, 0.0),
        ({"source": "복무.md", "article": None}, 1.0),
        ({"source": "복무.md", "article": "제3조의2"}, 0.0),
    ],
)
def test_gold_is_a_file_name_or_its_path(gold: dict[str, object], found: float) -> None:
    hits = {"leave": [hit("2026/복무.md", "제3조 제1항")]}
    assert judge([record(gold=[gold])], [answer()], hits).total.recall_1 == found


def test_an_addendum_is_not_the_article_of_its_number() -> None:
    assert judge([record()], [answer()], {"leave": [hit("복무.md", "부칙 제3조")]}).total.recall_10 == 0.0


def test_retrieval_only_measures_nothing_else() -> None:
    world = World({}, {"leave": [hit("복무.md", "제3조")]})
    report = run(
        [record(), record(id="oos", bot=None, gold=[])],
        ask=None,
        rank=world.rank,
        passage_text=world.passage_text,
        bots=BOTS,
        context=CONTEXT,
    )
    shown = report.as_json()["total"]
    assert isinstance(shown, dict)
    assert (shown["n"], shown["recall@1"]) == (2, 1.0)
    measured = {name for name, value in shown.items() if value is not None and not isinstance(value, dict)}
    assert measured == {"n", "recall@1", "recall@3", "recall@5", "recall@10", "mrr"}
    assert shown["end_to_end"]["recall@1"] is None and shown["latency_ms"]["p50"] is None


# --- what the answer says ------------------------------------------------------------------------


def test_refusing_and_asking_back_in_scope_score_nothing() -> None:
    facts = {"must_include": ["15일", "유급"]}
    total = judge(
        [record(id="a", **facts), record(id="b", **facts), record(id="c", **facts), record(id="d", **facts)],
        [
            answer("15일, 유급"),
            answer("15일"),
            answer("15일, 유급 휴가는 모릅니다", Status.REFUSED),
            answer("15일, 유급?", Status.CLARIFY),
        ],
    ).total
    assert total.must_include_coverage == pytest.approx(1.5 / 4)
    assert total.must_include_all == 0.25
    assert total.citation_recall == 0.5
    assert total.citation_precision == 1.0


def test_the_length_is_of_answers_without_their_markers() -> None:
    total = judge(
        [record(id="a"), record(id="b"), record(id="c")],
        [answer("열 글자입니다 [1][2]"), answer("가" * 17), answer("가" * 99, Status.REFUSED)],
    ).total
    assert total.answer_chars_median == 12.0  # of 7 and 17
    assert total.answer_chars_p90 == pytest.approx(16.0)


def test_citations_are_counted_by_distinct_article() -> None:
    gold = [{"source": "복무.md", "article": "제3조"}, {"source": "복무.md", "article": "제4조"}]
    cited = (citation(), citation(), citation(article="제8조"), citation("보수.md"))
    total = judge([record(id="a", gold=gold), record(id="b")], [answer(citations=cited), answer()]).total
    assert total.citation_precision == 0.5  # 제3조 of three, then one of one
    assert total.citation_recall == pytest.approx(2 / 3)


def test_refusals() -> None:
    outside = {"bot": None, "gold": []}
    report = judge(
        [
            record(id="a"),
            record(id="b"),
            record(id="c"),
            record(id="d", kind="oos-absent", **outside),
            record(id="e", kind="oos-absent", **outside),
            record(id="f", kind="oos-injection", **outside),
        ],
        [
            answer(),
            answer("모릅니다", Status.REFUSED),
            answer("?", Status.CLARIFY),  # in scope: as good as refused
            answer("모릅니다", Status.REFUSED),
            answer("?", Status.CLARIFY),  # out of scope: not refused
            answer("모릅니다", Status.REFUSED),
        ],
    )
    assert report.total.refusal_precision == 0.5
    assert report.total.refusal_recall == pytest.approx(2 / 3)
    assert report.by_kind["oos-absent"].refusal_recall == 0.5
    assert report.by_kind["oos-injection"].refusal_recall == 1.0
    assert list(report.by_bot) == ["leave"]
    assert report.by_bot["leave"].refusal_recall is None


# --- unsupported figures -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "passage", "loose"),
    [
        ("연 15일 [1]", "연차는 15일로 한다", ()),
        ("연 5일 [1]", "연차는 15일로 한다", ("5일",)),
        ("5일", "제5조 휴가는 15일로 한다", ("5일",)),
        ("50,000원", "5만원", ()),
        ("1억 5천만원", "150,000,000원", ()),
        ("50%", "100분의 50", ()),
        ("3.1퍼센트", "1,000분의 31", ()),
        ("20,000원", "| 식비 | 20,000 |", ()),
        ("2027년 1월 1일부터", "2027. 1. 1.부터 시행한다", ()),
        ("2027년 1월 2일부터", "2027. 1. 1.부터 시행한다", ("2027-01-02",)),
        ("제17조의2 제1항 제2호", "제17조의2 ① 다음 각 호\n1. 가\n2. 나", ()),
        ("제17조의3", "제17조의2", ("제17조의3",)),
        ("별표 3", "별표 2", ("별표3",)),
        ("7일과 7일과 8일", "", ("7일", "8일")),
    ],
)
def test_figures_that_no_passage_supports(text: str, passage: str, loose: tuple[str, ...]) -> None:
    assert unsupported(text, [passage]) == loose


def test_figures_may_come_from_the_question_or_the_cited_passage() -> None:
    report = judge(
        [record(id="a", question="10년 다니면 며칠?"), record(id="b"), record(id="c")],
        [answer("10년이면 20일, 30일"), answer("제3조에 따라 20일"), answer("내선 1330", Status.REFUSED)],
        passage="20일로 한다",
    )
    assert [one.unsupported for one in report.records] == [("30일",), (), ()]
    assert report.total.unsupported_figures == 1


# --- answers that depend on the day --------------------------------------------------------------


def dated(name: str, version: str = "2020-12-08", **values: object) -> Record:
    base: dict[str, object] = {
        "id": name,
        "statute": "평등법",
        "gold": [{"source": f"평등법/{version}.md", "article": "제18조의2"}],
        "must_include": ["10일"],
        "must_not_include": ["5일", "20일"],
        "as_of": "2021-03-15",
        "as_of_in_question": False,
        "asked_on": "2026-11-23",
    }
    return record(**(base | values))


def version(day: str) -> Citation:
    return citation(f"평등법/{day}.md", "제18조의2")


def test_the_day_is_handed_over_unless_it_stands_in_the_question() -> None:
    records = [dated("a", question="1"), dated("b", question="2", as_of_in_question=True), record(question="3")]
    world = World({one.question: answer() for one in records}, {})
    parts = {"ask": world.ask, "rank": world.rank, "passage_text": world.passage_text}
    run(records, **parts, bots=BOTS, context=Context(Principal("x"), date(2030, 1, 1)))  # type: ignore[arg-type]
    assert [(context.today, context.as_of) for _, context in world.asked] == [
        (TODAY, date(2021, 3, 15)),
        (TODAY, None),
        (date(2030, 1, 1), None),
    ]


def test_as_of_accuracy_version_selection_and_wrong_versions() -> None:
    right, stale = version("2020-12-08"), version("2018-05-29")
    other = citation("복무.md")
    total = judge(
        [dated(name) for name in "abcdef"],
        [
            answer("10일", citations=(right, other)),  # right
            answer("10일", citations=(right, stale)),  # right, but also quotes another version
            answer("5일", citations=(stale,)),  # wrong version
            answer("5일이었다가 10일", citations=(right,)),  # mixed
            answer("10일", citations=(other,)),  # the statute is not cited
            answer("모릅니다", Status.REFUSED),
        ],
    ).total
    assert total.as_of_accuracy == pytest.approx(2 / 6)
    assert total.version_selection == pytest.approx(2 / 6)
    assert total.wrong_version_rate == pytest.approx(1 / 6)
    assert total.mixed_rate == pytest.approx(1 / 6)


@pytest.mark.parametrize(
    ("values", "resolved", "score"),
    [
        ({"as_of": "2020-05-01"}, date(2020, 5, 1), 1.0),
        ({"as_of": "2020-05-01"}, date(2020, 5, 2), 0.0),
        ({"as_of": "2021-12-31", "as_of_period": ["2021-01-01", "2021-12-31"]}, date(2021, 6, 1), 1.0),
        ({"as_of": "2021-12-31", "as_of_period": ["2021-01-01", "2021-12-31"]}, date(2022, 1, 1), 0.0),
        ({"as_of": "2025-02-22", "question": "바뀌기 전에는 며칠?"}, date(2021, 1, 1), 1.0),
        ({"as_of": "2025-02-22", "question": "바뀌기 전에는 며칠?"}, date(2020, 1, 1), 0.0),
        ({"as_of": "2025-02-22", "question": "바뀌기 전에는 며칠?"}, date(2025, 2, 23), 0.0),
    ],
)
def test_date_resolution(values: dict[str, object], resolved: date, score: float) -> None:
    one = dated("a", as_of_in_question=True, **values)
    assert judge([one], [answer(as_of=resolved)]).total.date_resolution == score


def test_a_group_is_right_when_every_member_is() -> None:
    right = answer("10일", citations=(version("2020-12-08"),))
    report = judge(
        [dated("a", group="g"), dated("b", group="g", kind="today"), dated("c", group="h"), dated("d")],
        [right, answer("20일", citations=(version("2020-12-08"),)), right, right],
    )
    assert report.total.group_consistency == 0.5
    assert report.by_kind["today"].group_consistency == 0.0


def test_a_change_to_come() -> None:
    due = {"must_mention_date": "2027-01-01", "must_include": ["1000분의 31"], "must_not_include": [], "as_of": None}
    in_text = "1,000분의 31이고 2027. 1. 1.부터 바뀝니다"
    beside = (Notice("pending", date(2027, 1, 1), "바뀝니다"),)
    wrong = (Notice("pending", date(2027, 6, 1), "바뀝니다"),)
    past = (Notice("changed", date(2025, 1, 1), "바뀌었습니다"),)
    total = judge(
        [dated(name, **due) for name in "abcd"] + [record(id="e"), record(id="f")],
        [
            answer(in_text),
            answer("1000분의 31", warnings=beside),
            answer("1000분의 31", warnings=wrong),
            answer("1000분의 33", warnings=beside),  # the date is right, today's rule is not
            answer("15일", warnings=wrong),  # nothing is due here
            answer("15일", warnings=past),
        ],
    ).total
    assert total.pending_recall == 0.5
    assert total.pending_precision == pytest.approx(3 / 5)


# --- reports -------------------------------------------------------------------------------------


def test_the_history_is_handed_over() -> None:
    said = [{"role": "user", "content": "연차는 며칠?"}, {"role": "assistant", "content": "15일입니다."}]
    world = World({"그럼 3년이면?": answer()}, {})
    run(
        [record(question="그럼 3년이면?", history=said)],
        ask=world.ask,
        rank=world.rank,
        passage_text=world.passage_text,
        bots=BOTS,
        context=CONTEXT,
    )
    question = world.asked[0][0]
    assert question.bot is None
    assert [(turn.role, turn.content) for turn in question.history] == [
        ("user", "연차는 며칠?"),
        ("assistant", "15일입니다."),
    ]


def test_a_report_survives_its_json_and_says_what_changed(tmp_path: Path) -> None:
    facts = {"must_include": ["15일"]}
    records = [record(id="a", **facts), record(id="b", **facts), record(id="c", bot=None, gold=[])]
    refused = answer("모릅니다", Status.REFUSED)
    hits = {"leave": [hit("복무.md", "제3조")]}
    before = judge(records, [answer("14일"), answer(), answer()], hits, passage="14일, 15일")
    path = tmp_path / "baseline.json"
    path.write_text(json.dumps(before.as_json(), ensure_ascii=False), "utf-8")
    assert load_report(path) == before
    beside = {"groundedness": {"answers": 1}, "comparison": {}}  # what the command prints with it
    path.write_text(json.dumps(before.as_json() | beside, ensure_ascii=False), "utf-8")
    assert load_report(path) == before

    after = judge(records, [answer(), refused, refused], hits, passage="14일, 15일")
    found = compare(after, load_report(path))
    assert {(change.id, change.metric) for change in found.gains} == {
        ("a", "must_include_coverage"),
        ("c", "refused_rightly"),
    }
    assert {(change.id, change.metric) for change in found.losses} == {
        ("b", "must_include_coverage"),
        ("b", "citation_recall"),
        ("b", "refused_rightly"),
    }
    assert {change.metric: (change.before, change.after) for change in found.totals}["refusal_recall"] == (0.0, 1.0)
    assert found.only_now == found.only_before == ()


def test_the_json_has_the_documented_keys() -> None:
    shown = judge([record()], [answer()], {"leave": [hit("복무.md", "제3조")]}).as_json()
    assert set(shown) == {"total", "by_bot", "by_kind", "records"}
    total, records = shown["total"], shown["records"]
    assert isinstance(total, dict) and isinstance(records, list)
    recalls = {"recall@1", "recall@3", "recall@5", "recall@10", "mrr"}
    assert set(total["end_to_end"]) == recalls
    assert set(total) == recalls | {
        "n",
        "routing_accuracy",
        "routing_top3",
        "end_to_end",
        "must_include_coverage",
        "must_include_all",
        "answer_chars_median",
        "answer_chars_p90",
        "citation_precision",
        "citation_recall",
        "refusal_precision",
        "refusal_recall",
        "unsupported_figures",
        "as_of_accuracy",
        "version_selection",
        "date_resolution",
        "wrong_version_rate",
        "mixed_rate",
        "group_consistency",
        "pending_recall",
        "pending_precision",
        "latency_ms",
    }
    assert {"id", "kind", "bot", "routed", "status", "ranked", "citations", "answer", "scores"} <= set(records[0])
    assert records[0]["ranked"] == [["복무.md", "제3조"]]
    assert total["latency_ms"]["p50"] >= 0


def test_a_file_that_is_no_report_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "b.json", {"total": 1})
    with pytest.raises(ConfigurationError, match=r"b\.json: not a report"):
        load_report(path)
    path.write_text("no JSON at all")
    with pytest.raises(ConfigurationError, match=r"b\.json: not JSON"):
        load_report(path)


def test_rows_for_a_table() -> None:
    rows = summary_rows(judge([record(must_include=["15일"])], [answer()], {"leave": [hit("복무.md", "제3조")]}))
    assert {len(row) for row in rows} == {len(rows[0])}
    assert [row[0] for row in rows] == ["", "total", "other", "leave"]
    assert "as of" not in rows[0]  # nothing was measured
    assert dict(zip(rows[0], rows[1], strict=True))["R@1"] == "1.000"


# --- the page ------------------------------------------------------------------------------------


def shown(records: list[Record], replies: list[Answer], **more: object) -> str:
    report = judge(records, replies, {"leave": [hit("복무.md", "제3조")]}, passage="15일")
    named = [one.model_copy(update={"question": f"{one.question} ({at})"}) for at, one in enumerate(records)]
    return report_page(report, named, {"leave": "근태·휴가"}, TODAY, 0.2, **more)  # type: ignore[arg-type]


def test_the_page_says_in_words_how_the_questions_fared() -> None:
    facts = {"must_include": ["15일"], "answer": "15일이 답입니다"}
    records = [record(id="a", **facts), record(id="b", **facts), record(id="c", bot=None, gold=[])]
    html = shown(records, [answer(), answer("모릅니다", Status.REFUSED), answer("모릅니다", Status.REFUSED)])
    for words in (
        "규정에 답이 있는 질문 2개 가운데 1개에 답했습니다.",
        "규정에 답이 없는 질문 1개 가운데 1개를 거절했습니다.",
        "근거 없는 숫자는 하나도 없습니다.",
        "손볼 질문 1개",
        "답이 있는데 거절했습니다",
        "15일이 답입니다",
        "근태·휴가",
    ):
        assert words in html


def test_the_page_loads_nothing_and_runs_nothing_from_questions_and_answers() -> None:
    payload = '<script>alert(1)</script><img src="https://evil.example/x.png">'
    html = shown([record(question=payload, answer=payload)], [answer(payload)])
    assert "&lt;script&gt;" in html
    assert "<script" not in html
    assert "<img" not in html
    assert not re.search(r"<[^>]*\bsrc=", html)
    assert "<link" not in html


def test_the_page_shows_what_a_baseline_had_better() -> None:
    records = [record(id="a", must_include=["15일"])]
    before = judge(records, [answer()], passage="15일")
    now = judge(records, [answer("모릅니다", Status.REFUSED)], passage="15일")
    html = shown(records, [answer("모릅니다", Status.REFUSED)], comparison=compare(now, before))
    assert "지난번과 견주어" in html
    assert "나빠진 것 3개" in html
    assert "답에 꼭 있어야 할 내용이 있는가" in html


def test_each_tenth_of_the_confidence_tells_how_many_questions_had_an_answer() -> None:
    records = [record(id="a"), record(id="b"), record(id="c", bot=None, gold=[]), record(id="d")]
    replies = [answer(confidence=value) for value in (0.95, 1.0, 0.93, 0.05)]
    bars = confidence_bars(judge(records, replies).records)
    assert (bars[9].label, bars[9].share, bars[9].told) == ("0.9–1.0", pytest.approx(2 / 3), "67% (질문 3개)")
    assert (bars[0].share, bars[5].share, bars[5].told) == (1.0, None, "질문 없음")


def test_lengths_are_counted_with_the_longest_in_the_last_bar() -> None:
    bars = length_bars([10, 99, 100, 699, 700, 5_000])
    assert [bar.told for bar in bars] == ["2개", "1개", "0개", "0개", "0개", "0개", "1개", "2개"]
    assert bars[0].share == 1.0
    assert all(bar.share == 0 for bar in length_bars([]))


def test_groundedness_is_of_what_was_answered() -> None:
    replies = [answer("15일입니다. [1] 20일은 아닙니다."), answer("모릅니다. 99일", Status.REFUSED)]
    found = groundedness(judge([record(id="a"), record(id="b")], replies, passage="15일"))
    assert (found.answers, found.sentences_cited, found.figures_supported) == (1, 0.5, 0.5)
    quoted = answer("복무규정 — 휴가\n① 휴가는 15일로 한다. [1]\n② 휴가는 나누어 쓸 수 있다. [2]")
    assert groundedness(judge([record()], [quoted], passage="15일")).sentences_cited == 1.0
    assert groundedness(judge([record()], [answer("모릅니다", Status.REFUSED)])).sentences_cited is None


def test_the_gate_names_the_questions_that_a_share_fell_for() -> None:
    records = [record(id=one) for one in ("a", "b")]
    found, lost = {"leave": [hit("복무.md", "제3조")]}, {"leave": [hit("복무.md", "제9조")]}
    live, worse = (judge(records, [answer(), answer()], hits) for hits in (found, lost))
    problems = gate.judge(records, worse, live).problems
    assert [one.partition(" fell")[0] for one in problems] == ["recall@5"]
    assert all(f"{one.id} ‘{one.question}’" in problems[0] for one in records)
    assert gate.judge(records, live, live).problems == ()
