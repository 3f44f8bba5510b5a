"""How far a salience method can be believed: against causes that are known, and against the model itself.

`planted` finds planted causes with methods, `controls` without any model, `measures` turns ranks into figures
with intervals, `curves` needs no known cause, `results` is what a benchmark run leaves behind.
"""

from core.faithfulness.controls import CONTROLS, Control
from core.faithfulness.curves import Trace, countable_parts, curves
from core.faithfulness.measures import FLAT, Finding, MeanWithInterval, change, estimate, measured
from core.faithfulness.planted import VERDICTS, Case, PlantedPrompt, control_finding, finding, verify

__all__ = [
    "CONTROLS",
    "FLAT",
    "VERDICTS",
    "Case",
    "Control",
    "Finding",
    "MeanWithInterval",
    "PlantedPrompt",
    "Trace",
    "change",
    "control_finding",
    "countable_parts",
    "curves",
    "estimate",
    "finding",
    "measured",
    "verify",
]
