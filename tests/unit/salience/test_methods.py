"""The contract of every member of `METHODS`: adding one brings these tests."""

from __future__ import annotations

import importlib
import subprocess
import sys

import numpy as np
import pytest

from core.errors import AppError, Stopped
from core.salience import METHODS, method, request_for, span
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
