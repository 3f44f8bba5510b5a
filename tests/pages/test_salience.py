"""The Salience page as a reviewer uses it, wrong input too, over a model without weights."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from streamlit.runtime.scriptrunner import StopException
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import TextArea

from core.models.language_model import Capabilities
from core.records import Example, Message
from core.service import Service
from core.settings import ROOT
from core.ui.asking import answering, versions
from core.ui.asking.answering import Answer
from core.ui.asking.conversation import replaced
from core.ui.explaining.maps import parts
from core.ui.salience_page.measuring import TakeOutTrial
from core.ui.salience_text import prompt_id
from core.ui.shell import address, library
from tests.unit.fake_model import FakeModel


@pytest.fixture
def app(open_app: Callable[[str], AppTest]) -> AppTest:
    return open_app("salience")


def answer(app: AppTest) -> Answer:
    """The newest answer of the session, or what was asked last where that has none yet."""
    asked = app.session_state.get("asked", {})
    held = app.session_state.get("answers", {})
    return list((asked or held).values())[-1]


def trials(app: AppTest) -> list[TakeOutTrial]:
    held = app.session_state.get("trials", {})
    return [t for found in held.values() for t in found]


def finish(app: AppTest) -> AppTest:
    """Draw the page until nothing is under way."""
    for _ in range(10):
        held = answer(app)
        jobs = [job for job in (held.job, *held.map_jobs.values()) if job is not None]
        jobs += [job for t in trials(app) for job in (t.writing, t.scoring)]
        for job in jobs:
            assert job.wait(30)
        app.run()
        assert not app.exception
        held = answer(app)
        if held.generation is not None and held.map_jobs and all(t.done for t in trials(app)):
            break
    return app.run()


def open_id(app: AppTest) -> str:
    found = app.query_params.get("example", ["first"])
    return found if isinstance(found, str) else found[0]


def write(app: AppTest, text: str) -> AppTest:
    """What the browser does when a person types in the field."""
    drafts = app.session_state.get("drafts", {})
    app.session_state["drafts"] = {**drafts, f"prompt {open_id(app)}": text}
    return app.run()


def draft(app: AppTest) -> str | None:
    drafts = app.session_state.get("drafts", {})
    return drafts.get(f"prompt {open_id(app)}")


def order(app: AppTest, name: str, **more: Any) -> AppTest:
    """What the browser does when a person presses a button of the view."""
    app.session_state["orders"] = [{"order": name, **more}]
    app.run()
    assert not app.exception
    return app


def press_run(app: AppTest) -> AppTest:
    return order(app, "run")


def errors(app: AppTest) -> list[str]:
    return [e.value.replace("\\", "") for e in app.error]


def press(app: AppTest, label: str) -> AppTest:
    next(b for b in app.button if b.label == label).click()
    app.run()
    assert not app.exception
    return app


def test_nothing_is_run_unasked(app: AppTest, fake_service: Service) -> None:
    assert "answers" not in app.session_state or not app.session_state["answers"]
    assert fake_service.depth == 0
    assert {s.label for s in app.selectbox} == {"Example", "Granularity", "Method", "Model"}


def test_run_answers_and_explains(app: AppTest) -> None:
    finish(press_run(app))
    held = answer(app)
    assert held.generation is not None and held.generation.text == "cba"
    assert held.map_jobs
    assert not errors(app)


def test_an_edited_prompt_becomes_a_version_and_the_first_stays(app: AppTest, fake_service: Service) -> None:
    write(app, "one line\ndef")
    finish(press_run(app))
    assert open_id(app) == "first-v2"
    here = fake_service.store.workspace()
    assert here.examples.get("first-v2").parent_id == "first"
    assert here.examples.get("first-v2").target == "cba"
    assert here.examples.get("first").prompt == "one line\nabc"
    assert answer(app).generation.text == "fed"
    assert draft(app) is None


def test_another_text_is_another_example_without_the_target(app: AppTest, fake_service: Service) -> None:
    write(app, "Nora has 34 stamps and gives away 5. How many are left?")
    finish(press_run(app))
    made = fake_service.store.workspace().examples.get(open_id(app))
    assert made.parent_id is None and made.target is None
    assert not made.id.startswith("first")
    order(app, "attach")
    version = fake_service.store.workspace().examples.get(open_id(app))
    assert version.parent_id == "first" and version.prompt == made.prompt


def test_an_empty_prompt_is_told(app: AppTest) -> None:
    write(app, "  \n")
    press_run(app)
    assert errors(app) == ["The prompt is empty. Write something for the model to answer, then press Run."]


def test_a_prompt_beyond_the_model_is_told_and_is_no_version(app: AppTest, fake_service: Service) -> None:
    finish(press_run(app))
    long = "word " * 100
    write(app, long)
    press_run(app)
    assert answer(app).job.wait(30)
    app.run()
    assert errors(app) == ["The prompt is 500 tokens long."]
    assert draft(app) == long
    assert len(fake_service.store.workspace().examples.lineage("first")) == 1
    # What was there stays: the answer of before, and its map.
    held = list(app.session_state["answers"].values())[-1]
    assert held.generation.text == "cba"
    write(app, "one line\ndef")
    finish(press_run(app))
    assert not errors(app)
    assert answer(app).generation.text == "fed"


def test_a_broken_expression_is_told_and_the_map_stays(app: AppTest) -> None:
    finish(press_run(app))
    app.selectbox(key="granularity").set_value("custom").run()
    app.text_input(key="pattern").set_value("(").run()
    assert len(errors(app)) == 1
    assert "(" in errors(app)[0]
    assert not app.exception


def test_markup_in_a_prompt_is_text(app: AppTest) -> None:
    bad = "<script>window.hit=1</script><img src=x onerror=alert(1)>"
    write(app, bad)
    finish(press_run(app))
    assert not any("<script>" in str(h.value) for h in [*app.markdown, *app.caption])
    assert answer(app).sent == bad


def test_a_part_is_taken_out_and_kept(app: AppTest, fake_service: Service) -> None:
    finish(press_run(app))
    held = answer(app)
    here = parts(held.generation, "line", None)
    known = prompt_id(here.prompt)
    order(app, "remove", part=0, rows=[0], prompt="of another text")
    assert not trials(app)
    order(app, "remove", part=0, rows=[0], prompt=known)
    finish(app)
    (trial,) = trials(app)
    assert trial.name == "line 1" and trial.answer == "cba" and not trial.turns
    order(app, "remove", part=1, rows=[0], prompt=known)
    finish(app)
    assert [t.name for t in trials(app)] == ["line 1", "line 2"]
    assert trials(app)[1].turns  # "one line\n" reversed ends otherwise
    order(app, "keep", value="1")
    kept = fake_service.store.workspace().examples.get(open_id(app))
    assert (kept.prompt, kept.parent_id, kept.edit) == ("one line\n", "first", "without line 2")
    assert answer(app).generation is not None  # its answer was measured already: nothing is run


def test_a_draft_survives_another_page(app: AppTest) -> None:
    write(app, "not kept yet")
    app.switch_page("pages/models.py").run()
    app.switch_page("pages/salience.py").run()
    assert draft(app) == "not kept yet"


def test_the_editor_s_address_leads_here(open_app: Callable[..., AppTest]) -> None:
    app = open_app("editor", example="second")
    assert open_id(app) == "second"
    assert {s.label for s in app.selectbox} >= {"Granularity", "Method"}


def test_a_version_can_be_kept_without_running(app: AppTest, fake_service: Service) -> None:
    press(app, "Keep without running")
    assert "Nothing has changed yet" in app.info[0].value
    write(app, "one line\nnew words")
    app.text_area(key="target first").set_value("hoped for")
    press(app, "Keep without running")
    kept = fake_service.store.workspace().examples.get("first-v2")
    assert (kept.prompt, kept.target, kept.parent_id) == ("one line\nnew words", "hoped for", "first")
    write(app, "one line\nother words")
    press(app, "Back to what is kept")
    assert draft(app) is None


def test_variables_become_fields_and_are_filled_in(app: AppTest, fake_service: Service) -> None:
    write(app, "one line {name}, {{kept}} {word}")
    app.text_input(key="variable name of first (0)").set_value("Ada")
    app.text_input(key="variable word of first (0)").set_value("hello").run()
    finish(press_run(app))
    kept = fake_service.store.workspace().examples.get("first-v2")
    assert kept.prompt == "one line Ada, {kept} hello"
    assert kept.fields["template"] == "one line {name}, {{kept}} {word}"
    assert answer(app).generation.text == "oll"
    # The version has its fields too, so that the next run fills in the same template.
    app.text_input(key="variable word of first-v2 (0)").set_value("bye").run()
    finish(press_run(app))
    assert fake_service.store.workspace().examples.get("first-v3").prompt == "one line Ada, {kept} bye"
    press(app, "Edit the template")
    assert draft(app) == "one line {name}, {{kept}} {word}"


def test_values_belong_to_their_example(open_app: Callable[..., AppTest], fake_service: Service) -> None:
    rows = [
        Example(n, f"Dear {v}", fields={"template": "Dear {name}", "name": v})
        for n, v in (("a", "Ada"), ("b", "Bo"))
    ]
    dataset = fake_service.store.workspace().datasets.add("made", rows)
    app = open_app("salience", dataset=dataset.id, example="a")
    app.text_input(key="variable name of a (0)").set_value("Eve").run()
    app.selectbox(key="open a").set_value("b").run()
    assert app.text_input(key="variable name of b (0)").value == "Bo"


def test_a_new_prompt_is_an_example_of_its_own(app: AppTest, fake_service: Service) -> None:
    press(app, "New prompt")
    made = fake_service.store.workspace().examples.get(open_id(app))
    assert made.parent_id is None and made.target is None and made.id not in ("first", "second")


def test_the_first_example_of_an_empty_dataset_is_written_here(
    open_app: Callable[..., AppTest], fake_service: Service
) -> None:
    dataset = fake_service.store.workspace().datasets.add("none", [])
    app = open_app("salience", dataset=dataset.id)
    assert "has no examples yet" in app.info[0].value
    press(app, "Write its first prompt")
    assert len(fake_service.store.workspace().examples.of(dataset.id)) == 1


def test_a_link_holds_every_setting_and_opens_the_answer(app: AppTest, fake_service: Service) -> None:
    app.slider(key="max_new_tokens").set_value(2).run()
    finish(press_run(app))
    held = answer(app)
    assert held.params.max_new_tokens == 2
    params = {
        name: value[0] if isinstance(value, list) else value for name, value in app.query_params.items()
    }
    assert params["length"] == "2" and params["answer"] == held.key
    other = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60)
    for name, value in params.items():
        other.query_params[name] = value
    other.switch_page("pages/salience.py")
    other.run()
    assert not other.exception
    shown = answer(other)
    assert (
        shown.job is None and shown.generation is not None and shown.generation.text == held.generation.text
    )
    assert other.slider(key="max_new_tokens").value == 2


def _open_version(app: AppTest, text: str) -> str:
    """Runs `text` and returns the id of the version that it became."""
    write(app, text)
    finish(press_run(app))
    return open_id(app)


def test_a_request_sent_before_the_newest_address_was_heard_of_turns_nothing_back(app: AppTest) -> None:
    first = _open_version(app, "one line\nabcd")
    told = {name: app.query_params[name] for name in app.query_params}
    second = _open_version(app, "one line\nabcde")
    assert first != second
    newest = {name: app.query_params[name] for name in app.query_params}
    app.query_params.clear()
    for name, value in told.items():  # as the browser sends it with a look at a job, say
        app.query_params[name] = value
    app.run()
    assert open_id(app) == second
    assert {name: app.query_params[name] for name in app.query_params} == newest
    assert not app.warning


def test_back_leads_back_and_forward_forward(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    first = _open_version(app, "one line\nabcd")
    second = _open_version(app, "one line\nabcde")
    for asked in (first, second, first):
        with monkeypatch.context() as went:
            went.setattr(address, "_went_back", lambda: True)
            app.query_params["example"] = asked
            app.query_params.pop("answer")
            app.run()
        assert open_id(app) == asked
        assert open_id(app.run()) == asked


@pytest.mark.parametrize(
    ("place", "name"),
    [
        (answering, "ask_model"),  # the order is about to be carried out
        (versions, "keep_version"),  # the answer is there, its version is not
        (library, "open_example"),
    ],
)
def test_a_drawing_that_is_cut_off_loses_no_run(
    app: AppTest, monkeypatch: pytest.MonkeyPatch, place: Any, name: str
) -> None:
    write(app, "one line\nabcd")
    """By Streamlit, which ends a drawing anywhere when a newer one begins."""
    whole, cuts = getattr(place, name), [1]

    def cut_off(*args: Any, **named: Any) -> Any:
        if cuts and (name != "open_example" or args != ("first",)):
            cuts.pop()
            raise StopException
        return whole(*args, **named)

    monkeypatch.setattr(place, name, cut_off)
    press_run(app)
    app.run()
    finish(app)
    assert not cuts
    assert open_id(app) == "first-v2"
    held = answer(app)
    assert held.generation is not None
    assert held.generation.text == "dcb"
    assert not app.session_state["orders"]


def choose_chat(app: AppTest) -> AppTest:
    next(r for r in app.radio if r.label == "Send the prompt as").set_value("chat")
    return app.run()


def box(app: AppTest, label: str) -> TextArea:
    return next(t for t in app.text_area if t.label == label)


def turns(app: AppTest) -> list[tuple[str, str]]:
    """The turns in their boxes, and what stands in the field as far as it was typed."""
    boxes = [(t.label, t.value) for t in app.text_area if not t.label.startswith("Target")]
    return [*boxes, *([("Prompt", typed)] if (typed := draft(app)) is not None else [])]


def test_a_chat_of_one_turn_asks_no_more_of_the_person(app: AppTest, fake_service: Service) -> None:
    choose_chat(app)
    assert turns(app) == []
    finish(press_run(app))
    assert answer(app).sent == (Message("user", "one line\nabc"),)
    assert answer(app).example_id == "first"
    assert app.query_params["send"] in ("chat", ["chat"])


def test_a_chat_goes_on_after_the_answer(app: AppTest, fake_service: Service) -> None:
    choose_chat(app)
    finish(press_run(app))
    press(app, "Add a turn")
    assert turns(app) == [("User 1", "one line\nabc"), ("Assistant 1", "cba"), ("Prompt", "")]
    press(app, "Add a system message")
    box(app, "System message").set_value("Be kind.")
    write(app, "and xyz")
    finish(press_run(app))
    said = (
        Message("system", "Be kind."),
        Message("user", "one line\nabc"),
        Message("assistant", "cba"),
        Message("user", "and xyz"),
    )
    held = answer(app)
    assert held.sent == said and held.generation.text == "zyx"
    assert not errors(app)
    # It is a version of its own, so that its link restores the chat in another session.
    version = fake_service.store.workspace().examples.get(held.example_id)
    assert version.parent_id == "first" and version.prompt == "and xyz"
    other = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60)
    other.query_params["example"] = version.id
    other.switch_page("pages/salience.py")
    other.run()
    assert not other.exception
    assert turns(other) == [
        ("System message", "Be kind."),
        ("User 1", "one line\nabc"),
        ("Assistant 1", "cba"),
    ]
    assert answer(other).generation.text == "zyx"  # from the store: nothing was run
    # What was there before stays as it was.
    assert fake_service.store.workspace().examples.get("first").fields == {}


def test_turns_are_kept_from_page_to_page_until_they_are_run(app: AppTest) -> None:
    choose_chat(app)
    press(app, "Add a system message")
    box(app, "System message").set_value("Be ").run()
    app.switch_page("pages/models.py").run()
    app.switch_page("pages/salience.py").run()
    assert turns(app) == [("System message", "Be ")]


def test_removing_a_turn_takes_its_answer_along_and_gives_the_words_back(app: AppTest) -> None:
    choose_chat(app)
    finish(press_run(app))
    press(app, "Add a turn")
    press(app, "Remove")
    assert turns(app) == [("Prompt", "one line\nabc")]


def test_an_empty_turn_is_told_and_nothing_is_lost(app: AppTest) -> None:
    choose_chat(app)
    press(app, "Add a turn")
    write(app, "next")
    press_run(app)
    assert errors(app) == [
        "Turn 2 of the chat (assistant) is empty. Write what was said there, or remove that turn."
    ]
    assert turns(app) == [("User 1", "one line\nabc"), ("Assistant 1", ""), ("Prompt", "next")]


def test_a_chat_can_be_sent_as_plain_text_again(app: AppTest, fake_service: Service) -> None:
    choose_chat(app)
    press(app, "Add a system message")
    box(app, "System message").set_value("Be kind.")
    finish(press_run(app))
    chat = answer(app).example_id
    assert chat == "first-v2"
    next(r for r in app.radio if r.label == "Send the prompt as").set_value("plain")
    app.run()
    finish(press_run(app))
    assert answer(app).sent == "one line\nabc"
    assert fake_service.store.workspace().examples.get(chat).fields["earlier_turns"]


def test_a_part_of_an_earlier_turn_is_removed_from_that_turn(app: AppTest) -> None:
    choose_chat(app)
    press(app, "Add a system message")
    box(app, "System message").set_value("Be kind.\n")
    finish(press_run(app))
    held = answer(app)
    here = parts(held.generation, "line", None)
    assert here.prompt[0].text == "Be kind.\n"
    assert replaced(held.sent, held.generation.tokens, here.prompt[0].chars, "") == (
        Message("user", "one line\nabc"),
    )


def why(app: AppTest) -> dict[str, Any]:
    """What the view is given to say beside the map."""
    found = [json.loads(element.proto.json or "{}") for element in app.get("bidi_component")]
    return next(data["why"] for data in found if data.get("why"))


class TestAnswersAlone:
    """A model elsewhere that writes answers and tells nothing of them; its template drops the system turn."""

    @pytest.fixture
    def load(self) -> Callable[..., Any]:
        class Silent(FakeModel):
            capabilities = Capabilities(
                logprobs=False,
                gradients=False,
                salience=False,
                chat=True,
                why={"gradients": "It gives none."},
            )

            def tokenize(self, prompt: Any, response: str | None = None) -> Any:
                if not isinstance(prompt, str):
                    prompt = [turn for turn in prompt if turn.role != "system"]
                return super().tokenize(prompt, response)

        return lambda spec, **_: Silent(spec)

    def test_it_never_says_that_it_is_computing_beside_an_error(self, app: AppTest) -> None:
        press_run(app)
        held = answer(app)
        assert held.job is not None and held.job.wait(30)
        for _ in range(3):
            app.run()
        assert not app.exception
        assert not answer(app).map_jobs and not errors(app)  # no map is asked of a model that has none
        said = why(app)["question"]["measured"]["sentence"]
        assert "".join(text for _, text in said).startswith("This model tells its words alone.")
        assert "Ask again without each" in [button.label for button in app.button]
        assert not list(app.get("progress"))

    def test_a_turn_that_its_template_drops_is_told(self, app: AppTest) -> None:
        choose_chat(app)
        press(app, "Add a system message")
        box(app, "System message").set_value("Be kind.")
        app.run()
        press_run(app)
        held = answer(app)
        assert held.job is not None and held.job.wait(30)
        for _ in range(3):
            app.run()
        told = [text for text, _, _ in why(app)["editor"]["notices"]]
        assert [text for text in told if "leaves out or rewrites the system message" in text]
