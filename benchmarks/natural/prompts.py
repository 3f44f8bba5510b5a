"""The prompts of this benchmark are those that the Trust page asks the loaded model too."""

from core.faithfulness.natural_prompts import TASKS, NaturalTask

__all__ = ["TASKS", "NaturalTask"]
