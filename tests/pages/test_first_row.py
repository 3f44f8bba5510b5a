"""A table without names in its first row, on the import step: said, turned round, and no row lost."""

from __future__ import annotations

from collections.abc import Callable

from streamlit.testing.v1 import AppTest

from core.service import Service


def plainly(app: AppTest) -> str:
    return "\n".join(c.value.replace("\\", "") for c in [*app.caption, *app.warning, *app.subheader])


def test_pairs_are_two_rows_until_somebody_says_otherwise(
    open_app: Callable[..., AppTest], fake_service: Service
) -> None:
    app = open_app("dataset")
    app.text_area(key="dataset pasted").set_value(
        '[["What is 2+2?", "4"], ["Capital of Peru?", "Lima"]]'
    ).run()
    app.button(key="dataset load pasted").click().run()
    (turn,) = [t for t in app.toggle if t.label == "The first row names the columns"]
    assert turn.value is False
    said = plainly(app)
    assert "2 rows · 2 columns" in said and "was taken as a row: it reads like one" in said
    assert "No column is called like a prompt" in said
    turn.set_value(True).run()
    assert not app.exception and "1 row · 2 columns" in plainly(app)
    (turn,) = [t for t in app.toggle if t.label == "The first row names the columns"]
    assert turn.value is True
    turn.set_value(False).run()
    (targets,) = [m for m in app.multiselect if m.label.startswith("Target")]
    targets.set_value(["column 2"]).run()
    next(b for b in app.button if b.label == "Add 2 rows").click().run()
    assert not app.exception
    here = fake_service.store.workspace()
    kept = here.examples.of(app.session_state["dataset"])
    assert [(one.prompt, one.target) for one in kept] == [("What is 2+2?", "4"), ("Capital of Peru?", "Lima")]


def test_plain_names_are_taken_without_a_word(
    open_app: Callable[..., AppTest], fake_service: Service
) -> None:
    app = open_app("dataset")
    app.text_area(key="dataset pasted").set_value("question,answer\nCapital of Peru?,Lima\n").run()
    app.button(key="dataset load pasted").click().run()
    (turn,) = [t for t in app.toggle if t.label == "The first row names the columns"]
    assert turn.value is True and "first row" not in plainly(app)
