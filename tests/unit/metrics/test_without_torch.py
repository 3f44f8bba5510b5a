"""Metrics, and counterfactuals that need no model, run in a process that never imports torch."""

from __future__ import annotations

import subprocess
import sys

from core.settings import ROOT

SCRIPT = """
import sys
from core.counterfactuals import GENERATORS, make
from core.metrics import METRICS, MetricRow, aggregate, measure
from core.records import Example

for member in METRICS:
    aggregate(measure([MetricRow("a", "b c", "b c", target_logprob_nats=-1.0, target_tokens=2)], member))
for member in GENERATORS:
    if member.name in ("leave_one_out", "scrambler"):
        make(member, [Example("a", "one two\\nthree")])
print([name for name in ("torch", "transformers", "streamlit") if name in sys.modules])
"""


def test_without_torch() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.strip() == "[]"
