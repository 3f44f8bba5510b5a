"""A hosted site's pages: a browser's own workspace, shared links that look or change, taking along, removing."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.records import Example
from core.service import Service
from core.store import backup
from core.store.engine import FILE
from core.store.takeout import takeout
from core.store.workspace import Workspace

NOW = 1_768_392_000.0
"""14 January 2026, noon."""


@pytest.fixture
def options() -> dict[str, Any]:
    return {"mode": "hosted"}


@pytest.fixture
def mine(fake_service: Service, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """The workspace of the browser that the pages see."""
    monkeypatch.setattr("core.ui.shell.visitor.browser", lambda: "browser a")
    here = fake_service.store.visitors.home("browser a", who="a browser")
    here.datasets.add("dear", [Example("mine", "my own prompt", None, "s")])
    return here


def shown(app: AppTest) -> str:
    return " ".join(str(one.value) for one in app.dataframe)


def said(app: AppTest) -> str:
    boxes = (*app.error, *app.warning, *app.info, *app.caption)
    return " ".join(box.value for box in boxes).replace("\\", "")


def test_the_bare_address_leads_back_to_ones_own(open_app: Callable[..., AppTest], mine: Workspace) -> None:
    for _ in range(2):
        app = open_app("dataset", dataset=mine.datasets.all()[-1].id)
        assert "my own prompt" in shown(app)
        assert "workspace" not in app.query_params and "share" not in app.query_params
    assert "Kept until nobody opens it for 90 days" in said(app)


def test_a_browser_without_cookies_is_told(open_app: Callable[..., AppTest]) -> None:
    assert "only here until you close the page" in said(open_app("dataset"))


@pytest.mark.parametrize("may_edit", [True, False])
def test_a_shared_link_shows_anothers_and_says_what_may_be_done(
    open_app: Callable[..., AppTest],
    mine: Workspace,
    fake_service: Service,
    monkeypatch: pytest.MonkeyPatch,
    may_edit: bool,
) -> None:
    link, token = fake_service.store.visitors.share(mine, may_edit=may_edit, days=1)
    monkeypatch.setattr("core.ui.shell.visitor.browser", lambda: "browser b")
    app = open_app("dataset", **{"token of the shared link": token}, dataset=mine.datasets.all()[-1].id)
    assert "my own prompt" in shown(app)
    assert ("You may change it" if may_edit else "You may look, not change") in said(app)
    fake_service.store.visitors.revoke(mine, link.id)
    app.run()
    assert not app.exception and "ended or was revoked" in said(app)
    assert "my own prompt" not in shown(app)


def test_a_link_is_made_and_shown_once_and_revoked(
    open_app: Callable[..., AppTest], mine: Workspace, fake_service: Service
) -> None:
    app = open_app("dataset")
    app.button(key="make link").click().run()
    assert not app.exception
    (address,) = [code.value for code in app.code if "share=" in code.value]
    token = address.partition("share=")[2]
    here, link = fake_service.store.visitors.shared(token, who="x")
    assert here.id == mine.id and not link.may_edit
    app.button(key=f"revoke {link.id}").click().run()
    assert fake_service.store.visitors.links(mine) == ()
    assert not [code for code in app.code if "share=" in code.value]


def test_what_was_taken_along_is_taken_in_once(
    open_app: Callable[..., AppTest], mine: Workspace, fake_service: Service
) -> None:
    app = open_app("salience")
    data = takeout(mine, fake_service.store)

    def take(name: str, held: bytes) -> None:
        next(one for one in app.file_uploader if "again" in one.label).upload(name, held).run()
        app.button(key="take in").click().run()
        assert not app.exception

    take("whence-workspace.zip", data)
    assert [one.name for one in mine.datasets.all() if not one.shared] == ["dear", "dear (2)"]
    assert "1 examples in 1 new datasets" in " ".join(one.value for one in app.success)
    assert app.button(key="take in").disabled
    take("other.zip", b"PK")
    assert "not a file of" in said(app)


def test_everything_of_mine_is_removed_only_when_sure(
    open_app: Callable[..., AppTest], mine: Workspace, fake_service: Service
) -> None:
    app = open_app("dataset", dataset=mine.datasets.all()[-1].id)
    assert app.button(key="forget").disabled
    app.checkbox(key="forget sure").check().run()
    app.button(key="forget").click().run()
    assert not app.exception
    again = fake_service.store.visitors.home("browser a", who="a browser")
    assert again.id != mine.id and all(one.shared for one in again.datasets.all())


def test_an_account_finds_its_workspace_on_another_machine(
    open_app: Callable[..., AppTest], mine: Workspace, fake_service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = {"is_logged_in": True, "iss": "https://id.example", "sub": "7", "email": "me@id.example"}
    monkeypatch.setattr("core.ui.shell.visitor.st.user", user)
    app = open_app("dataset", dataset=mine.datasets.all()[-1].id)
    assert "Signed in as me@id.example" in said(app) and "my own prompt" in shown(app)
    monkeypatch.setattr("core.ui.shell.visitor.browser", lambda: "browser on another machine")
    app = open_app("dataset", dataset=mine.datasets.all()[-1].id)
    assert "my own prompt" in shown(app)
    monkeypatch.setattr("core.ui.shell.visitor.st.user", {"is_logged_in": False})
    app = open_app("dataset")
    assert any(button.label == "Sign in" for button in app.button)


def test_from_page_to_page_on_a_hosted_site(open_app: Callable[..., AppTest], mine: Workspace) -> None:
    app = open_app("salience")
    for page in ("dataset", "metrics", "salience"):
        app.switch_page(f"pages/{page}.py")
        app.run()
        assert not app.exception


@pytest.mark.parametrize("held", [False, True])
def test_a_link_of_an_earlier_version_still_opens_its_workspace(
    open_app: Callable[..., AppTest], fake_service: Service, monkeypatch: pytest.MonkeyPatch, held: bool
) -> None:
    monkeypatch.setattr("core.ui.shell.visitor.browser", lambda: "browser a")
    visitors = fake_service.store.visitors
    old = visitors.home("browser b", who="a browser") if held else fake_service.store.new_workspace()
    kept = old.datasets.add("dear", [Example("mine", "my own prompt", None, "s")])
    app = open_app("dataset")
    app.query_params["workspace"] = old.id
    app.session_state["dataset"] = kept.id
    app.run()
    assert not app.exception and "workspace" not in app.query_params
    assert ("my own prompt" in shown(app)) == (not held)
    assert ("of an earlier version" in said(app)) == held


def test_a_workspace_near_its_end_says_so_when_it_is_opened(
    open_app: Callable[..., AppTest],
    mine: Workspace,
    fake_service: Service,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = time.time()
    assert "would have gone" not in said(open_app("dataset"))
    monkeypatch.setattr("core.store.store.time.time", lambda: now + 80 * 86_400)
    app = open_app("dataset", dataset=mine.datasets.all()[-1].id)
    assert "Nobody had opened this workspace for 80 days; 10 more, and it would have gone" in said(app)
    assert "my own prompt" in shown(app)
    monkeypatch.setattr("core.store.store.time.time", lambda: now + 160 * 86_400)
    fake_service.store.swept_at = 0
    assert "my own prompt" in shown(open_app("dataset", dataset=mine.datasets.all()[-1].id))
    monkeypatch.setattr("core.store.store.time.time", lambda: now + 251 * 86_400)
    fake_service.store.swept_at = 0
    assert "my own prompt" not in shown(open_app("dataset"))


def test_what_still_holds_what_is_deleted_is_said_with_its_end(
    open_app: Callable[..., AppTest], mine: Workspace, fake_service: Service
) -> None:
    assert "Safety copies" not in said(open_app("dataset"))
    backup.make(fake_service.settings.data_dir / FILE, why="daily", now=NOW)
    assert "hold it until 17 January 2026" in said(open_app("dataset"))
