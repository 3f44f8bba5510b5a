"""What is drawn: the numbers, where a click leads, and that no text from outside becomes markup."""

from __future__ import annotations

import json

import numpy as np
import plotly.graph_objects as go
import pytest

from core.figures import palette
from core.figures.curves import Curve, deletion_curves
from core.figures.distributions import distribution, scatter_of_two
from core.figures.heatmap import prompt_heatmap, salience_heatmap, table_heatmap
from core.figures.probabilities import token_probabilities
from core.figures.style import CLEAR, label, passage, percent, scale
from core.figures.token_logprobs import token_logprobs
from core.records import (
    Generation,
    GenerationParams,
    ModelSpec,
    Role,
    Segment,
    SegmentSalience,
    Tokens,
)
from tests.unit.figures.contrast import contrast

EVIL = "<script>alert(1)</script><a href='javascript:x'>$a$ %{x} &amp;"
PROMPT = ("<start>", "Judge the dish.", EVIL, "Recommendation: no.")


def made(
    texts: tuple[str, ...], role: Role = Role.PROMPT, template: tuple[int, ...] = ()
) -> tuple[Segment, ...]:
    return tuple(
        Segment(i, t, (i, i + 1), (i, i + 1), Role.TEMPLATE if i in template else role)
        for i, t in enumerate(texts)
    )


COLUMNS = made(PROMPT, template=(0,))
ROWS = made(("Yes, " + EVIL, "try it.", ""), Role.RESPONSE, template=(2,))
MAP = SegmentSalience(ROWS, COLUMNS, [[90, 3, -1, 0], [9, 1, 1, 2], [5, 5, 5, 5]], "sum")


def generation() -> Generation:
    text = "Hi" + EVIL + "\n x"
    spans = [(0, 2), (2, len(EVIL) + 2), (len(EVIL) + 2, len(text) - 1), (len(text) - 1, len(text))]
    spans.append((len(text), len(text)))
    tokens = Tokens(
        np.arange(5), text, np.array(spans), np.array([0, 0, 0, 0, 1], bool), np.array([0, 1, 1, 1, 1]), 1
    )
    nats = np.array([-0.5, -7, 0, -0.01], np.float32)
    return Generation("e", ModelSpec("m", "m"), GenerationParams(), tokens, "x", nats, "eos", 0.1)


def every(theme: palette.Theme) -> dict[str, go.Figure]:
    return {
        "map": salience_heatmap(MAP, signed=True, units=EVIL, theme=theme, selected=[1]),
        "table": table_heatmap(np.array([[0.2, np.nan]]), [EVIL], [EVIL, "b"], theme=theme),
        "logprobs": token_logprobs(generation(), theme=theme),
        "by prompt": prompt_heatmap(MAP, [EVIL] * 4, signed=True, units=EVIL, theme=theme, selected=[1]),
        "probabilities": token_probabilities(
            generation(), others=[[(EVIL, 0.5)]] * 4, ties=(1,), theme=theme
        ),
        "curves": deletion_curves(
            [
                Curve(EVIL, (0, 1), (-1, -5), ("", EVIL)),
                Curve("random", (0, 1), (-1, -2), (), (-2, -3), (0, -1), True),
            ],
            theme=theme,
            title=EVIL,
        ),
        "distribution": distribution({EVIL: [0.1, 0.2, float("nan")], "b": [0.3]}, units=EVIL, theme=theme),
        "scatter": scatter_of_two([1, 2], [3, 4], ["a", "b"], [EVIL, ""], names=(EVIL, "y"), theme=theme),
    }


NAMES = tuple(every("light"))


@pytest.mark.parametrize(("name", "theme"), [(n, t) for n in NAMES for t in palette.THEMES])
def test_every_figure_is_transparent_readable_and_holds_no_foreign_markup(
    name: str, theme: palette.Theme
) -> None:
    figure = every(theme)[name]
    assert figure.layout.paper_bgcolor == CLEAR
    assert contrast(figure.layout.font.color, palette.BACKGROUND[theme]) >= 4.5
    assert contrast(figure.layout.hoverlabel.font.color, figure.layout.hoverlabel.bgcolor) >= 4.5
    drawn = figure.to_dict()
    for trace in drawn["data"]:
        # customdata is data for the page, never drawn.
        trace.pop("customdata", None)
    text = json.dumps(drawn, default=lambda o: np.asarray(o).tolist())
    for markup in ("<script", "<a href", "%{x}", "$a$"):
        assert markup not in text
    assert "script" in text


@pytest.mark.parametrize("signed", [False, True])
def test_the_map_draws_shares_of_what_counts_and_a_click_names_its_segments(signed: bool) -> None:
    figure = salience_heatmap(MAP, signed=signed, units="nats")
    heat, clicks = figure.data
    expected = [[0.75, -0.25, 0], [0.25, 0.25, 0.5]]
    np.testing.assert_allclose(heat.z, expected if signed else np.abs(expected))
    assert [tuple(c) for c in clicks.customdata] == [(0, 1), (0, 2), (0, 3), (1, 1), (1, 2), (1, 3)]
    assert list(clicks.x) == [0, 1, 2, 0, 1, 2]
    assert list(clicks.y) == [0, 0, 0, 1, 1, 1]
    assert clicks.hovertext[0].startswith("<b>75 %</b>")
    assert "raw score 3 nats" in clicks.hovertext[0]
    assert heat.hoverinfo == "skip"
    assert (heat.zmin, heat.zmax) == ((-1, 1) if signed else (0, 1))
    assert list(figure.layout.yaxis.range) == [1.5, -0.5]


def test_a_flat_map_is_drawn_pale() -> None:
    columns = made(tuple(f"line {i}" for i in range(20)))
    figure = salience_heatmap(SegmentSalience(ROWS[:1], columns, np.ones((1, 20)), "sum"), signed=False)
    heat = figure.data[0]
    assert np.max(heat.z) <= 0.5 * heat.zmax


def test_a_map_of_next_to_nothing_is_drawn_pale() -> None:
    scores = np.zeros((1, 20))
    scores[0, 3] = 0.04
    salience = SegmentSalience(ROWS[:1], made(tuple(f"line {i}" for i in range(20))), scores, "sum")
    assert np.max(salience_heatmap(salience, signed=False).data[0].z) == 1
    pale = salience_heatmap(salience, signed=False, negligible=0.1).data[0]
    assert np.max(pale.z) <= 0.5 * pale.zmax


def test_a_row_of_next_to_nothing_does_not_make_the_others_pale() -> None:
    scores = np.zeros((2, 20))
    scores[0, 3], scores[1, 5] = 0.04, 4.0
    salience = SegmentSalience(ROWS[:2], made(tuple(f"line {i}" for i in range(20))), scores, "sum")
    heat = salience_heatmap(salience, signed=False, negligible=0.1).data[0]
    z = np.asarray(heat.z)
    assert z[0].max() <= 0.5 * heat.zmax and z[1].max() == heat.zmax


def test_the_chosen_rows_are_framed() -> None:
    figure = salience_heatmap(MAP, signed=True, selected=[1])
    assert [(s.y0, s.y1) for s in figure.layout.shapes] == [(0.5, 1.5)]


def test_many_cells_are_drawn_with_webgl() -> None:
    columns = made(tuple(str(i) for i in range(1501)))
    rows = made(("a", "b"), Role.RESPONSE)
    big = salience_heatmap(SegmentSalience(rows, columns, np.ones((2, 1501)), "sum"), signed=False)
    small = salience_heatmap(SegmentSalience(rows[:1], columns, np.ones((1, 1501)), "sum"), signed=False)
    assert isinstance(big.data[1], go.Scattergl)
    assert isinstance(small.data[1], go.Scatter)


def test_maps_of_nothing_can_be_drawn() -> None:
    nothing = SegmentSalience((), (), np.zeros((0, 0)), "sum")
    assert salience_heatmap(nothing, signed=False).data[0].z.size == 0
    assert distribution({"a": []}).data == ()


def test_logprobs_are_those_of_the_response() -> None:
    figure = token_logprobs(generation())
    bar = figure.data[0]
    assert list(bar.y) == pytest.approx([-0.5, -7, 0, -0.01])
    assert [c[0] for c in bar.customdata] == [1, 2, 3, 4]
    assert "⏎·" in bar.hovertext[1]
    assert "1 in 1,097 likely" in bar.hovertext[1]
    assert "(end)" in bar.hovertext[3]
    assert "61% likely" in bar.hovertext[0]


def test_a_bin_says_which_values_are_in_it() -> None:
    bar = distribution({"a": [0, 1, 2, 3, 4, float("nan")]}, bins=2).data[0]
    assert list(bar.y) == [2, 3]
    assert [tuple(c) for c in bar.customdata] == [("a", 0.0, 2.0, False), ("a", 2.0, 4.0, True)]


def test_points_name_their_examples() -> None:
    figure = scatter_of_two([1.0], [2.0], ["id-7"], names=("BLEU", "chrF"))
    assert tuple(figure.data[0].customdata[0]) == ("id-7",)
    many = [float(i) for i in range(3001)]
    assert isinstance(scatter_of_two(many, many, ["x"] * 3001, names=("a", "b")).data[0], go.Scattergl)


def test_curves_show_their_points_and_the_band_of_a_control() -> None:
    figure = every("light")["curves"]
    method, band, control = figure.data
    assert list(method.y) == [-1, -5]
    assert list(band.y) == [0, -1, -3, -2]
    assert control.line.dash == "dot"
    assert method.line.dash == "solid"


def test_words_for_axes_and_boxes() -> None:
    assert label("a  b\nc") == "a b c"
    assert label("x" * 50, 10) == "x" * 9 + "…"
    assert [label(t) for t in ("\n", " ", "", "<b>")] == ["⏎", "␣", "(no text)", "&lt;b&gt;"]
    assert passage("one two", 3) == "one<br>two"
    assert [percent(p) for p in (0, 0.314, -0.5, 0.004, -0.0001)] == [
        "0 %",
        "31 %",
        "−50 %",
        "0.4 %",
        "0.0 %",
    ]


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0])
def test_the_scale_rises_from_end_to_end_and_keeps_its_middle(signed: bool, strength: float) -> None:
    points = scale("light", signed, strength)
    places = [p for p, _ in points]
    assert places == sorted(places)
    assert (places[0], places[-1]) == (0, 1)
    if signed:
        assert points[len(points) // 2] == [0.5, palette.BACKGROUND["light"]]


def test_the_map_by_prompt_has_its_rows_and_its_clicks() -> None:
    names = ["", "line 1", "line 2", "line 3"]
    figure = prompt_heatmap(MAP, names, signed=False, selected=[1])
    # Shares of the counted columns: (3, 1, 0) of 4 and (1, 1, 2) of 4; rows are the prompt's parts.
    np.testing.assert_allclose(figure.data[0].z, [[0.75, 0.25], [0.25, 0.25], [0, 0.5]], atol=1e-6)
    assert [tuple(place) for place in figure.data[1].customdata] == [
        (0, 1), (1, 1), (0, 2), (1, 2), (0, 3), (1, 3),
    ]  # fmt: skip
    assert figure.layout.xaxis.tickangle == 0
    assert figure.layout.yaxis.ticktext[2].startswith("line 3  Recommendation")
    assert (figure.layout.shapes[0].x0, figure.layout.shapes[0].x1) == (0.5, 1.5)


def test_a_lone_part_of_a_prompt_has_no_colour_in_the_map_either() -> None:
    rows = made(("Yes.",), Role.RESPONSE)
    one = SegmentSalience(rows, made(("Only this.",)), np.array([[3.0]], np.float32), "sum")
    figure = prompt_heatmap(one, ["line 1"], signed=False)
    np.testing.assert_array_equal(figure.data[0].z, [[0]])
    assert "100" in figure.data[1].hovertext[0]  # its share is told


def test_a_large_map_by_prompt_shows_the_strongest_rows_around_the_chosen_word() -> None:
    columns, rows = made(tuple("abcdefghij" * 9)), made(tuple("xyz" * 30), Role.RESPONSE)
    values = np.full((90, 90), 0.01, np.float32)
    values[:, 77] = 5
    figure = prompt_heatmap(
        SegmentSalience(rows, columns, values, "sum"),
        [f"word {i}" for i in range(90)],
        signed=False,
        selected=[70],
    )
    assert np.shape(figure.data[0].z) == (40, 40)
    places = {int(c) for _, c in figure.data[1].customdata}
    assert 77 in places
    assert 70 in {int(r) for r, _ in figure.data[1].customdata}


def test_probabilities_run_from_0_to_1_and_name_what_else_was_weighed() -> None:
    figure = token_probabilities(generation(), others=[[("no", 0.4), ("yes", 0.39)]] * 4, ties=(0,))
    np.testing.assert_allclose(figure.data[0].y, np.exp([-0.5, -7, 0, -0.01]), rtol=1e-6)
    assert tuple(figure.layout.yaxis.range) == (0, 1.08)
    assert figure.data[0].text[0] == "tie" and figure.data[0].text[1] == ""
    assert "0.400 no" in figure.data[0].hovertext[0]
