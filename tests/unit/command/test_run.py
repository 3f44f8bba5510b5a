"""`whence run` on a model that answers by rule: counts and exit status by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from core.command import main
from core.command.run import condition
from core.errors import AppError
from core.library import table as table_module
from core.library.opening import open_model
from core.library.table import run_table
from core.records import Generation, GenerationParams, Tokens
from tests.unit.fake_model import FakeModel

ROWS = "question,answer\n" + "".join(f"{n} plus {n},{2 * n}\n" for n in range(8))
GOOD, BAD = "{question} is", "{question} is not"


class Adds(FakeModel):
    """Answers `n plus n is` rightly, and everything else by 0."""

    def generate_batch(
        self, batch: Sequence[Tokens], params: GenerationParams, *, stop: Any = None
    ) -> list[Generation]:
        made = []
        for tokens in batch:
            text = tokens.text[: tokens.prompt_chars]
            number = int(text.split()[0]) * 2 if text.endswith(" is") else 0
            whole = self.tokenize(text, f" {number}")
            nats = np.zeros(len(whole) - whole.prompt_len, np.float32)
            made.append(Generation("", self.spec, params, whole, f" {number}", nats, "eos", 0.0))
        return made


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(table_module, "open_model", lambda _name: open_model(Adds()))
    (tmp_path / "rows.csv").write_text(ROWS)
    (tmp_path / "good.txt").write_text(GOOD + "\n")
    (tmp_path / "bad.txt").write_text(BAD)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_table_is_right_by_hand(files: Path) -> None:
    made = run_table("rows.csv", {"good": GOOD, "bad": BAD}, [condition("equals")])
    assert [value.value for value in made.values] == [1.0, 1 / 8]  # 0 plus 0 is 0 even so
    test = made.tests[1]
    assert test is not None and test.difference == pytest.approx(-7 / 8)
    assert test.p == pytest.approx(2 / 2**7)  # seven rows turned, all one way: McNemar, exact
    assert made.worse() == ("bad",) and made.worse(p=0.01) == ()
    assert len(made.turned) == 7
    assert made.table.answers[3, :, 0].tolist() == [" 6", " 0"]
    assert (
        len(made.to_pandas()) == 16 and json.loads(json.dumps(made.to_dict()))["versions"][0]["right"] == 1.0
    )


def test_versions_that_use_different_rows_are_not_paired(files: Path) -> None:
    (files / "gaps.csv").write_text("question,hint,answer\n1 plus 1,,2\n,two,4\n")
    with pytest.raises(AppError, match="different rows"):
        run_table("gaps.csv", {"a": GOOD, "b": "{hint} is"}, [condition("equals")])


def test_a_judge_is_refused_not_left_unsure(files: Path) -> None:
    with pytest.raises(AppError, match="in the app only"):
        run_table("rows.csv", {"a": GOOD}, [condition("judge:rubric=Is it kind?,model=demo")])


def test_a_worse_version_fails_the_pipeline_and_says_why(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["run", "rows.csv", "--prompt", "good.txt", "--prompt", "bad.txt", "--check", "equals"]
    assert main([*given, "--out", "t.csv", "--junit", "t.xml"]) == 1
    said = capsys.readouterr()
    assert "bad.txt is worse than good.txt" in said.err
    assert "bad.txt\t12.5%" in said.out and "7 of 8 rows turned" in said.out
    cases = ElementTree.parse(files / "t.xml").getroot()
    assert (cases.get("tests"), cases.get("failures")) == ("8", "7")
    assert (files / "t.csv").read_text().count("\n") == 17
    assert main(["run", "rows.csv", "--prompt", "bad.txt", "--prompt", "good.txt"]) == 0
    assert main(["run", "rows.csv", "--prompt", "bad.txt", "--least", "0.5"]) == 1


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["none.csv", "--prompt", "good.txt"], "none.csv"),
        (["rows.csv", "--prompt", "none.txt"], "none.txt"),
        (["rows.csv", "--prompt", "good.txt", "--check", "magic"], "magic"),
        (["rows.csv", "--prompt", "good.txt", "--check", "contains:text"], "name=value"),
        (["rows.csv", "--prompt", "good.txt", "--out", "t.doc"], "t.doc"),
    ],
)
def test_faults_are_sentences(
    files: Path, capsys: pytest.CaptureFixture[str], given: list[str], says: str
) -> None:
    assert main(["run", *given]) == 2
    said = capsys.readouterr().err
    assert says in said and "Traceback" not in said


def test_conditions_are_read() -> None:
    made = condition("not:contains:text=vegan")
    assert made.negated and made.options["text"] == "vegan"
    assert condition("length:least=2,unit=words").options["least"] == 2
    with pytest.raises(AppError, match="option"):
        condition("contains:colour=red")


def test_samples_of_a_row_are_told_apart(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = run_table(
        "rows.csv", {"good": GOOD, "bad": BAD}, [condition("equals")], samples=3, temperature=1.0
    )
    assert made.table.outcomes.shape == (8, 2, 3)
    test = made.tests[1]
    assert test is not None and test.p == pytest.approx(2 / 2**7) and test.test == "signs of rows, exact"
    assert main(["run", "rows.csv", "--prompt", "good.txt", "--samples", "3"]) == 2
    assert "temperature 0" in capsys.readouterr().err
