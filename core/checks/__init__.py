"""Checks of one's own: is this answer right? A family, each member one file and one line of the tuple in `members`.

    conditions = (Condition("contains", {"text": "vegan"}), Condition("length", {"most": 40}, negated=False))
    seen = Evidence(prompt, answer, targets)
    verdict([one.find(seen) for one in conditions]).outcome  # "right", "wrong" or "unsure"

Several conditions make one verdict: wrong where one is wrong, else unsure where one is, else right.
"""

from core.checks.check import OUTCOMES, Check, Evidence, Outcome, Ruling
from core.checks.members import CHECKS, check
from core.checks.verdict import AnswerVerdict, Condition, as_checked, from_json, to_json, verdict

__all__ = [
    "CHECKS",
    "OUTCOMES",
    "AnswerVerdict",
    "Check",
    "Condition",
    "Evidence",
    "Outcome",
    "Ruling",
    "as_checked",
    "check",
    "from_json",
    "to_json",
    "verdict",
]
