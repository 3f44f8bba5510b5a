"""The Models page over models without weights: load, use, give back, failures, a remote server, a token."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.errors import AppError
from core.models.language_model import Capabilities
from core.models.local.devices import Device
from core.models.local.precision import PrecisionChoice
from core.models.local.real_models import real_model
from core.models.manager import ModelManager
from core.models.remote.secrets import SECRETS
from core.records import ModelSpec
from core.service import Service
from core.settings import ROOT, Settings
from core.store.keys import model_key
from core.ui.models_page.known import what_for
from core.ui.shell.model_list import Catalog, catalog, title
from tests.unit.fake_model import FakeModel

CPU = Device("cpu", "CPU", 10_000_000_000, 16_000_000_000)
URL = "http://127.0.0.1:9/v1"
TOKEN = "s3cret-t0ken"


def load(spec: ModelSpec, **_: Any) -> FakeModel:
    """Every model but those called bad; a remote one cannot do everything."""
    if "bad" in spec.path:
        raise AppError("The folder bad is not a model.", hint="Choose another.")
    model = FakeModel(spec)
    if spec.backend == "openai_compatible":
        model.capabilities = Capabilities(gradients=False, why={"gradients": "It gives *no* gradients."})
    return model


@pytest.fixture
def options() -> dict[str, Any]:
    return {}


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]) -> Iterator[Service]:
    chosen = Settings(
        data_dir=tmp_path / "home",
        MODEL_CONFIG="one:fake/one,two:fake/two",
        precision="float32",
        _env_file=None,
        **options,
    )
    made = Service(chosen, manager=ModelManager(load))
    monkeypatch.setattr("core.ui.shell.services.settings", lambda: chosen)
    monkeypatch.setattr("core.service.Service", lambda _settings: made)
    monkeypatch.setattr("core.models.local.estimate.free_bytes", lambda device: CPU.free_bytes)
    monkeypatch.setattr("core.ui.models_page.local.available", lambda: (CPU,))
    monkeypatch.setattr(
        "core.ui.models_page.local.automatic", lambda path: PrecisionChoice("float32", "none", "cpu")
    )
    st.cache_resource.clear()
    st.cache_data.clear()
    yield made
    SECRETS.remember(URL, "")
    st.cache_resource.clear()
    st.cache_data.clear()


@pytest.fixture
def app(service: Service) -> AppTest:
    page = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60)
    page.switch_page("pages/models.py")
    return page.run()


def finish(app: AppTest) -> AppTest:
    for job in list(app.session_state["job box"].values() if "job box" in app.session_state else ()):
        assert job.wait(30)
    app.run()
    assert not app.exception
    return app


def cards(app: AppTest) -> list[str]:
    return [
        m.value.partition(" :")[0] for m in app.markdown if m.value.startswith("**") and "-badge[" in m.value
    ]


def facts(app: AppTest) -> list[str]:
    return [c.value.replace("\\", "") for c in app.main.caption if " · " in c.value and "memory" in c.value]


def token_field(app: AppTest) -> Any:
    return next(field for field in app.text_input if field.label == "Access token")


def labels(app: AppTest) -> set[str]:
    return {b.label for b in app.button}


def test_the_first_paint_lists_the_models_and_loads_none(app: AppTest, service: Service) -> None:
    assert not app.exception
    assert cards(app) == ["**one · float32** (in use)", "**two · float32**"]
    assert facts(app) == ["CPU · not in memory"] * 2
    assert not service.manager.loaded
    assert "float32 · CPU · not in memory" in [c.value for c in app.sidebar.caption]


def test_the_defaults_of_the_operators_settings_are_said(app: AppTest) -> None:
    (told,) = [one.value for one in app.run().caption if "BATCH" in one.value]
    for said in ("16 texts of a dataset at once, the default", "the model's own limit", "PRECISION: "):
        assert said in told.replace("\\", "")


def test_load_choose_and_give_back(app: AppTest, service: Service) -> None:
    app.button(key="load two").click().run()
    finish(app)
    assert [spec.name for spec in service.manager.loaded] == ["two"]
    assert cards(app)[:2] == ["**one · float32**", "**two · float32** (in use)"]
    assert "CPU · 0.0 M parameters · in memory, 0.0 MB · reads 200 tokens" in facts(app)
    assert "0.0 M parameters · float32 · CPU · in memory, 0.0 MB" in [c.value for c in app.sidebar.caption]
    app.button(key="use one").click().run()
    assert cards(app)[0] == "**one · float32** (in use)"
    app.button(key="evict two").click().run()
    assert not service.manager.loaded
    assert not app.exception


def test_a_model_from_the_list_is_estimated_loaded_and_removed(app: AppTest, service: Service) -> None:
    app.selectbox(key="local-model").set_value("GPT-2").run()
    assert (
        "0.5 GB for its weights and 1.3 GB to explain 64 of 1,024 tokens at once; 10.0 GB are free. It fits."
        in (app.info[0].value.replace("\\", ""))
    )
    app.selectbox(key="local-precision float32").set_value("nf4").run()
    app.button(key="local-load").click().run()
    finish(app)
    (spec,) = service.manager.loaded
    assert (spec.path, spec.quantization, spec.dtype) == ("openai-community/gpt2", "nf4", "float32")
    assert "**GPT\\-2 · nf4** (in use)" in cards(app)
    app.button(key="remove GPT-2").click().run()
    assert not app.exception
    assert not service.manager.loaded
    assert cards(app) == ["**one · float32** (in use)", "**two · float32**"]


def test_the_faster_precision_of_this_processor_is_offered_first(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = {"Qwen/Qwen3-1.7B": PrecisionChoice("bfloat16", "none", "cpu")}
    monkeypatch.setattr(
        "core.ui.models_page.local.automatic",
        lambda path: large.get(path, PrecisionChoice("float32", "none", "cpu")),
    )
    app.selectbox(key="local-model").set_value("Qwen 3 1.7B").run()
    assert app.selectbox(key="local-precision bfloat16").value == "bfloat16"
    app.selectbox(key="local-model").set_value("GPT-2").run()
    assert app.selectbox(key="local-precision float32").value == "float32"


def test_the_demo_model_is_among_the_presets(app: AppTest) -> None:
    app.selectbox(key="local-model").set_value("Demo model").run()
    assert not app.exception
    assert "to explain 64 of 1,024 tokens" in app.info[0].value.replace("\\", "")


def test_what_cannot_fit_is_refused_with_figures(app: AppTest) -> None:
    app.selectbox(key="local-model").set_value("Mistral 7B instruct").run()
    assert not app.exception
    said = app.error[0].value.replace("\\", "")
    assert "29.0 GB" in said and "10.0 GB are free" in said and "do not fit" in said
    assert app.button(key="local-load").disabled


def test_added_models_are_there_after_a_restart_and_no_token_is(service: Service) -> None:
    SECRETS.remember(URL, TOKEN)
    folder = service.settings.data_dir
    first = Catalog(folder)
    far = first.add(ModelSpec("far", f"{URL}#m", backend="openai_compatible", dtype="", device="remote"))
    first.add(ModelSpec("gone", "owner/gone"))
    first.remove(ModelSpec("gone", "owner/gone"))
    again = Catalog(folder)
    assert again.specs()[-1] == far and again.added(far)
    assert "gone" not in [spec.name for spec in again.specs()]
    assert TOKEN not in (folder / "models.json").read_text()
    SECRETS.remember(URL, "")
    (folder / "models.json").write_text('[{"name": "x"}, 3, {"name": "ok", "path": "a/b"}]')
    assert Catalog(folder).specs()[-1].name == "ok"
    (folder / "models.json").write_text("{")
    assert len(Catalog(folder).specs()) == len(service.specs())


def test_a_link_to_a_model_that_is_not_here_says_so(app: AppTest) -> None:
    app.query_params["model"] = "nobody"
    app.run()
    assert any("no model “nobody” here" in w.value for w in app.warning)


def test_a_failed_load_keeps_the_old_model_working(app: AppTest, service: Service) -> None:
    app.button(key="load one").click().run()
    finish(app)
    catalog().add(ModelSpec("bad", "owner/bad"))
    app.run()
    app.button(key="load bad").click().run()
    finish(app)
    assert "is not a model" in app.error[0].value
    assert [spec.name for spec in service.manager.loaded] == ["one"]
    assert cards(app)[0] == "**one · float32** (in use)"


def test_a_remote_model_is_connected_and_its_token_kept_nowhere(
    app: AppTest, service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    app.text_input(key="remote-address").set_value(URL + "/")
    app.text_input(key="remote-model").set_value("org/my model")
    app.text_input(key="remote-name").set_value("far <b>away</b>")
    token_field(app).set_value(TOKEN)
    app.run()
    app.button(key="remote-connect").click().run()
    finish(app)
    (spec,) = service.manager.loaded
    assert (spec.backend, spec.path) == ("openai_compatible", URL + "#org/my%20model")
    assert SECRETS.token(spec.path).get_secret_value() == TOKEN
    assert token_field(app).value == ""
    assert TOKEN not in repr(app.session_state)
    assert TOKEN not in caplog.text + repr(app.query_params) + repr(spec)
    assert "**far \\<b\\>away\\</b\\>** (in use)" in cards(app)
    abilities = next(m.value for m in app.markdown if m.value.startswith(("✓", "✗")))
    assert "✓ Write answers" in abilities
    assert "✗ Gradient salience and word swaps: It gives \\*no\\* gradients" in abilities


def test_a_remote_form_that_is_wrong_says_why_and_forgets_the_token(app: AppTest, service: Service) -> None:
    app.text_input(key="remote-address").set_value("my-server:8000")
    token_field(app).set_value(TOKEN)
    app.run()
    app.button(key="remote-connect").click().run()
    assert not app.exception
    assert "should start with http" in app.error[0].value
    assert token_field(app).value == ""
    assert not service.manager.loaded


@pytest.mark.parametrize(
    ("address", "warned"),
    [
        (URL, False),
        ("http://localhost:8000", False),
        ("https://models.example/v1", False),
        ("http://models.example/v1", True),
        ("http://10.0.0.7:8000", True),
    ],
)
def test_a_token_in_the_open_is_warned_of(app: AppTest, address: str, warned: bool) -> None:
    app.text_input(key="remote-address").set_value(address)
    token_field(app).set_value(TOKEN)
    app.run()
    assert any("not encrypted" in w.value for w in app.warning) is warned


class TestHosted:
    @pytest.fixture
    def options(self) -> dict[str, Any]:
        return {"mode": "hosted"}

    def test_visitors_cannot_add_models(self, app: AppTest) -> None:
        assert not app.exception
        assert "operator chooses" in app.info[0].value
        assert not app.text_input
        assert "Load" not in labels(app) and "Connect" not in labels(app)


def test_loading_can_be_stopped(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    from core.errors import Stopped

    def waits(spec: ModelSpec, *, progress: Callable[..., None], stop: Any) -> FakeModel:
        progress(0.4, "Reading the weights")
        assert stop.wait(30)
        raise Stopped("Loading was cancelled.")

    service.manager._loader = waits
    page = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60)
    page.switch_page("pages/models.py")
    page.run()
    page.button(key="load one").click().run()
    _in_the_list, beside_the_bar = [b for b in page.button if b.label == "Stop"]
    assert any(c.value.startswith("Loading one") for c in page.sidebar.caption)
    beside_the_bar.click().run()
    finish(page)
    assert not service.manager.loaded
    assert "Load" in labels(page)


def test_a_real_models_stories_are_read_before_anything_is_fetched(app: AppTest, service: Service) -> None:
    app.button(key="stories smollm2").click().run()
    assert not app.exception and not service.manager.loaded
    assert app.session_state["example"] == "real-mistake"
    # A page that was switched to inside a run is not followed by the test client; the answer's link is.
    spec = real_model("smollm2").spec()
    assert spec in catalog().specs()


def test_terms_that_ask_for_it_are_accepted_before_the_button_works(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.ui.shell.getting.is_here", lambda model: False)
    app.run()
    assert not app.button(key="get smollm2").disabled
    assert app.button(key="get gemma3").disabled
    assert any("Gemma Terms of Use" in text.value for text in app.text)
    app.checkbox(key="accept gemma3").check().run()
    assert not app.button(key="get gemma3").disabled


def test_two_loadings_of_a_model_are_told_apart_by_precision(service: Service) -> None:
    known = Catalog()
    one = known.add(ModelSpec("Same", "fake/same"))
    two = known.add(ModelSpec("Same", "fake/same", dtype="bfloat16"))
    assert (one.name, two.name) == ("Same", "Same, bfloat16")
    assert (title(one), title(two)) == ("Same · float32", "Same · bfloat16")


def test_how_full_the_hubs_cache_is_stands_on_the_page(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.models.local.hub_cache.held", lambda name="": 190_000_000_000)
    page = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60)
    page.switch_page("pages/models.py")
    page.run()
    said = [one.value.replace("\\", "") for one in page.caption]
    assert any("holds 190.0 GB of at most 200.0 GB. Remove what" in one for one in said), said


def test_a_model_in_memory_says_what_the_other_precision_would_cost(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    cost = "float32: exact. bf16 would be 1.4 times as fast here."
    monkeypatch.setattr("core.ui.shell.model_box.what_the_other_costs", lambda spec: cost)
    assert not any("bf16" in c.value for c in app.caption)
    app.button(key="load two").click().run()
    finish(app)
    assert cost in [c.value.replace("\\", "") for c in app.main.caption]
    assert cost in [c.help for c in app.sidebar.caption]


def test_each_card_says_what_kind_of_model_it_is(app: AppTest) -> None:
    catalog().add(ModelSpec("demo", str(ROOT / "data/models/demo")))
    app.run()
    said = [c.value.replace("\\", "") for c in app.main.caption]
    assert any(line.startswith("Chat model: a prompt is sent as it stands") for line in said)


@pytest.mark.parametrize(
    ("can", "backend_name", "badge"),
    [
        (None, "hugging_face", "explains"),
        (None, "openai_compatible", "known once connected"),
        (Capabilities(), "hugging_face", "explains"),
        (Capabilities(gradients=False, salience=False), "openai_compatible", "explains by taking out"),
        (Capabilities(gradients=False, salience=False, logprobs=False), "gemini", "only writes"),
    ],
)
def test_a_card_says_whether_reasons_can_be_shown(
    can: Capabilities | None, backend_name: str, badge: str
) -> None:
    assert what_for(ModelSpec("m", "m", backend=backend_name), can)[0] == badge


def test_before_anything_is_typed_it_is_told_what_fits(app: AppTest) -> None:
    (table,) = [frame.value for frame in app.dataframe if "Fits" in frame.value.columns]
    fits = dict(zip(table["Model"], table["Fits"]))
    assert fits["SmolLM2 135M instruct"] == "yes" and fits["Mistral 7B instruct"] == "no"  # 10 GB are free


def test_the_speed_of_an_answer_written_here_is_told(app: AppTest, service: Service) -> None:
    spec = service.resolve(catalog().specs()[0])
    assert service.answers.speed(spec) is None
    service.answers._speeds[model_key(spec)] = 42.0
    assert any("wrote 42 tokens a second here" in one.value for one in app.run().caption)
