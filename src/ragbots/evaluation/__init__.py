"""Judging: golden questions in, figures out. Definitions stand beside each metric in `scoring`."""

from ragbots.evaluation.gate import Golden, changed_answers, judge
from ragbots.evaluation.page import report_page
from ragbots.evaluation.questions import Gold, Record, load_questions
from ragbots.evaluation.report import Comparison, compare, groundedness, load_report, summary_rows
from ragbots.evaluation.runner import PassageText, Rank, run
from ragbots.evaluation.scoring import Group, Judged, Report, Scores

__all__ = [
    "Comparison",
    "Gold",
    "Golden",
    "Group",
    "Judged",
    "PassageText",
    "Rank",
    "Record",
    "Report",
    "Scores",
    "changed_answers",
    "compare",
    "groundedness",
    "judge",
    "load_questions",
    "load_report",
    "report_page",
    "run",
    "summary_rows",
]
