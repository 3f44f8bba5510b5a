"""The CSV opens safely in a spreadsheet, the JSON holds every figure that is shown."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest

from core.errors import AppError
from core.report import to_csv, to_json
from tests.unit.report import samples


def test_the_csv_has_a_line_a_segment() -> None:
    raw = to_csv(samples.shown(signed=True))
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline="")))
    assert [r["text"] for r in rows] == [
        "<bos>",
        *samples.PROMPT[1:3],
        "'" + samples.PROMPT[3],
        samples.PROMPT[4],
    ]
    assert [r["share"] for r in rows] == ["", "0.1", "0.6", "-0.2", "0.1"]
    assert [r["rank"] for r in rows] == ["", "3", "1", "2", "4"]
    assert [r["score"] for r in rows] == ["99", "1", "6", "-2", "1"]
    assert rows[0]["role"] == "template"
    assert rows[1]["target"].startswith("'+1 Rec")
    assert (rows[1]["model"], rows[1]["precision"]) == ("demo <b>", "bfloat16")
    prompt = samples.shown().prompt
    assert all(prompt[int(r["start_char"]) : int(r["stop_char"])] in (r["text"], r["text"][1:]) for r in rows)


def test_the_json_holds_what_is_shown_and_no_folder_of_this_machine() -> None:
    shown = samples.shown()
    raw = to_json(shown)
    assert b"someone" not in raw
    got = json.loads(raw)
    assert got["map"] == shown.salience.values.tolist()
    assert [s["text"] for s in got["prompt_segments"]] == list(samples.PROMPT)
    assert [s["score"] for s in got["prompt_segments"]] == [99, 1, 6, 2, 1]
    assert sum(s["share"] for s in got["prompt_segments"]) == pytest.approx(1)
    assert got["target"] == [1]
    assert got["made"] == "2026-11-20T12:30:00+00:00"
    assert got["precision"] == "bfloat16"
    assert got["nothing_decisive"] is False


def test_a_map_of_next_to_nothing_says_so() -> None:
    told = samples.shown(scores=(0, 0.02, 0.01, 0, 0))
    assert json.loads(to_json(told))["nothing_decisive"] is False
    told = samples.shown(scores=(0, 0.02, 0.01, 0, 0), negligible=0.1)
    assert json.loads(to_json(told))["nothing_decisive"] is True


def test_a_flat_map_says_so() -> None:
    assert json.loads(to_json(samples.shown(scores=(0, 1, 1, 1, 1))))["nothing_decisive"] is True


def test_what_does_not_fit_together_is_refused() -> None:
    with pytest.raises(AppError, match="Expected 5 scores"):
        samples.shown(scores=(1, 2))
    with pytest.raises(AppError, match="0 to 2"):
        samples.shown(target=(3,))
    assert np.isclose(samples.shown().shares.sum(), 1)


def test_what_could_not_be_measured_is_empty_and_no_zero() -> None:
    made = samples.shown(signed=True, scores=(99, 1, 0, -2, 1), unmeasured=(2,))
    lines = list(csv.DictReader(io.StringIO(to_csv(made).decode("utf-8-sig"))))
    assert (lines[2]["rank"], lines[2]["share"], lines[2]["score"]) == ("", "", "")
    assert lines[4]["score"] == "1" and lines[4]["share"] == "0.25"
    document = json.loads(to_json(made))
    part = document["prompt_segments"][2]
    assert (part["score"], part["share"], part["rank"], part["counts"]) == (None, None, None, False)
    assert [row[2] for row in document["map"]] == [None] * 3 and document["map"][0][1] == 1


def test_a_method_that_ranks_by_value_is_ranked_so_in_files_too() -> None:
    both = [samples.shown(signed=True, scores=(0, 3, -6, 2, 1), rank_by=by) for by in ("size", "value")]
    assert [[one.segment.index for one in map_.ranked] for map_ in both] == [[2, 1, 3, 4], [1, 3, 4, 2]]
