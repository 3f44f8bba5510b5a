"""Length and end of an answer are read from the prompt on show until somebody says otherwise."""

from __future__ import annotations

from collections.abc import Callable

from streamlit.testing.v1 import AppTest

from core.records import Example
from core.service import Service

FEW_SHOT = "Judge.\n\nLikes: cheese\nAnswer: Yes.\n\nLikes: eggs\nAnswer:"


def chosen(app: AppTest) -> tuple[int, list[str]]:
    stop = next(one for one in app.multiselect if one.label == "Stop at")
    return int(app.slider(key="max_new_tokens").value), list(stop.value)


def show(app: AppTest, example: str) -> None:
    app.session_state["example"] = app.query_params["example"] = example
    app.query_params.pop("answer", None)
    app.run()


def says(app: AppTest, words: str) -> bool:
    return any(words in one.value for one in app.caption)


def opened(open_app: Callable[..., AppTest], service: Service) -> tuple[AppTest, str]:
    rows = [Example("few", FEW_SHOT), Example("plain", "Once upon a time")]
    dataset = service.store.workspace().datasets.add("two kinds", rows)
    return open_app("salience", dataset=dataset.id, example="few"), dataset.id


def test_each_prompt_proposes_its_own_until_somebody_says(
    open_app: Callable[..., AppTest], fake_service: Service
) -> None:
    app, _ = opened(open_app, fake_service)
    assert chosen(app) == (64, ["\n\n"]) and says(app, "examples that begin with")
    assert "length" not in app.query_params and "stop" not in app.query_params
    show(app, "plain")
    assert chosen(app) == (128, [])
    app.slider(key="max_new_tokens").set_value(9).run()
    assert chosen(app) == (9, []) and app.query_params["length"] in ("9", ["9"])
    show(app, "few")
    assert chosen(app) == (9, ["\n\n"])  # what was said wins; what was not is still read
    assert says(app, "would propose 64 tokens, to a blank line")
    next(b for b in app.button if b.label == "Read from the prompt").click().run()
    assert chosen(app) == (64, ["\n\n"]) and "length" not in app.query_params
    assert not app.exception


def test_taking_the_stop_texts_away_is_said_too(
    open_app: Callable[..., AppTest], fake_service: Service
) -> None:
    app, _ = opened(open_app, fake_service)
    next(one for one in app.multiselect if one.label == "Stop at").set_value([]).run()
    app.run()
    assert chosen(app) == (64, [])


def test_a_run_over_rows_says_what_it_reads_from_them(
    open_app: Callable[..., AppTest], fake_service: Service
) -> None:
    _, dataset = opened(open_app, fake_service)
    app = open_app("dataset", dataset=dataset)
    assert says(app, "128 tokens at most, greedy")  # room for both kinds; only one of them has a stop text
    assert chosen(app) == (128, [])


def test_an_answer_drawn_otherwise_is_shown_where_nobody_said(
    open_app: Callable[..., AppTest], fake_service: Service
) -> None:
    from core.records import GenerationParams

    service = fake_service
    params = GenerationParams(max_new_tokens=100)
    service.answers.generate(FEW_SHOT, service.spec(), params, owner="another run").get(30)
    app, _ = opened(open_app, service)
    held = next(iter(app.session_state["answers"].values()))
    assert held.params == params and held.generation is not None
