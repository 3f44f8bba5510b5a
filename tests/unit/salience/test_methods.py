"""The contract of every member of `METHODS`: adding one brings these tests."""

from __future__ import annotations

import importlib
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from core.errors import AppError, Stopped
from core.models.language_model import Capabilities
from core.records import ModelSpec, SalienceMatrix, SalienceRequest
from core.salience import METHODS, best_map, method, readers, request_for, span
from core.salience.declaration import SEED, Method
from core.settings import ROOT

every = pytest.mark.parametrize("one", METHODS, ids=lambda m: m.name)


class Set:
    """An event that is set already."""

    def is_set(self):
        return True


@every
def test_declared_in_full(one):
    assert one.label and one.units and one.description.endswith(".")
    assert "Source: " in (importlib.import_module(f"core.salience.{one.name}").__doc__ or "")


WRITTEN_UP = [one for one in METHODS if (ROOT / "docs" / "methods" / f"{one.name}.md").exists()]


def test_the_methods_that_ship_with_figures_are_written_up():
    assert {"gim", "grad_l2", "grad_dot_input", "integrated_gradients", "leave_one_out"} <= {
        one.name for one in WRITTEN_UP
    }


@pytest.mark.parametrize("one", WRITTEN_UP, ids=lambda m: m.name)
def test_a_page_of_a_method_says_what_it_tells_and_what_not(one):
    text = (ROOT / "docs" / "methods" / f"{one.name}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {one.label}\n")
    assert all(part in text for part in ("**What it tells.**", "**What it does not tell.**", "**Source"))


@every
def test_scores_have_the_declared_form(load_tiny, one):
    model = load_tiny("gpt2")
    tokens = model.tokenize("The soup has", " cheese")
    rows: dict[int, np.ndarray] = {}
    request = request_for(model, tokens, one.name)
    matrix = one.run(model, request, tokens=tokens, on_row=lambda n, row: rows.__setitem__(n, row.copy()))
    assert matrix.combines == one.combines
    assert (matrix.signed, matrix.units) == (one.signed, one.units)
    assert one.signed or (matrix.values >= 0).all()
    assert sorted(rows) == list(range(len(request.targets)))
    assert all((row == matrix.values[n]).all() for n, row in rows.items())


@every
def test_a_span_is_its_own_row(load_tiny, one):
    model = load_tiny("gpt2")
    tokens = model.tokenize("The soup has", " cheese in it")
    whole = (tokens.prompt_len, len(tokens))
    once = span(model, tokens, one.name, whole)
    if one.combines == "add":
        rows = one.run(model, request_for(model, tokens, one.name), tokens=tokens).values
        np.testing.assert_allclose(rows.sum(0), once, rtol=1e-3, atol=1e-4 * np.abs(once).max())
    assert (once[len(tokens) - 1 :] == 0).all()


@every
def test_stops(load_tiny, one):
    model = load_tiny("gpt2")
    tokens = model.tokenize("The soup has", " cheese")
    with pytest.raises(Stopped):
        one.run(model, request_for(model, tokens, one.name), tokens=tokens, stop=Set())


def test_an_unknown_method_lists_the_known():
    known = ", ".join(one.name for one in METHODS)
    with pytest.raises(AppError, match=f"no salience method called 'lime'.*{known}"):
        method("lime")


def test_nan_scores_are_a_sentence(load_tiny):
    import torch

    model = load_tiny("gpt2")
    tokens = model.tokenize("The soup has", " cheese")
    weight = model.model.transformer.ln_f.weight
    before = weight.data.clone()
    weight.data[0] = torch.nan
    try:
        with pytest.raises(AppError, match="scores are not numbers"):
            method("grad_l2").run(model, request_for(model, tokens, "grad_l2"))
    finally:
        weight.data = before


def test_menus_need_no_torch():
    code = "import sys, core.salience, core.models, core.models.presets; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


@every
def test_a_method_that_scores_gradients_takes_the_common_option_and_shares_passes(one):
    if one.score is None:
        assert one.late and readers(one.name) == ()
        return
    assert not one.late and SEED in one.options and one in readers(one.name)


def test_methods_that_differ_in_their_score_alone_share_their_passes():
    shared = {name: {other.name for other in readers(name)} for name in ("gim", "grad_l2", "grad_dot_input")}
    assert {"grad_l2", "grad_dot_input"} <= shared["grad_l2"] == shared["grad_dot_input"]
    assert "gim" in shared["gim"] and not shared["gim"] & shared["grad_l2"]


def test_the_best_map_is_what_a_model_can():
    gradients = Capabilities(gradients=True, salience=True)
    assert best_map(replace(gradients, gim=True)) == (method("gim"), ())
    assert best_map(gradients) == (method("grad_l2"), (("seed", "log_odds"),))
    elsewhere = Capabilities(gradients=False, salience=True)
    assert best_map(elsewhere) == (method("grad_l2"), ())
    assert best_map(Capabilities(gradients=False, salience=False)) == (None, ())


def test_what_takes_the_place_of_a_method_is_asked_in_its_own_name_and_says_so():
    given = []

    def compute(work):
        given.append(work)
        values = np.ones((1, 3), np.float32)
        return SalienceMatrix(work.request, values, None, signed=False, units="u", note="Its own note.")

    declared = {"description": "For a test.", "units": "u", "signed": False, "combines": "add"}
    inner = Method(name="grad_l2", label="Inner", compute=compute, options=(SEED,), **declared)
    outer = Method(
        name="gim", label="Outer", needs="gim", instead=(inner, (("seed", "log_odds"),)), **declared
    )
    model = SimpleNamespace(spec=ModelSpec("m", "m"), capabilities=Capabilities())
    request = SalienceRequest(model.spec, (1, 2, 3), 2, "gim", ((2, 3),))
    stop, on_row = Set(), print
    found = outer.run(model, request, tokens="tokens", on_row=on_row, stop=stop)
    (work,) = given
    assert (work.request.method, work.request.options) == ("grad_l2", (("seed", "log_odds"),))
    assert (work.model, work.tokens, work.on_row, work.stop) == (model, "tokens", on_row, stop)
    assert work.options == {"seed": "log_odds"} and work.on_progress is None
    assert found.request == request
    assert found.note == (
        "This is Inner of the log-odds, which has no sign, not Outer: Outer needs the model's layers on this "
        "machine. Its own note."
    )
