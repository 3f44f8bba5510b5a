"""The sidebar's box of a hosted site: whose workspace this is, shared links, taking all along, removing all."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlencode, urlsplit, urlunsplit

import streamlit as st

from core.datasets import Bounds
from core.errors import AppError
from core.ui.shell import library, problem, state, visitor
from core.ui.shell.services import service

NEAR_THE_END = 0.8
"""Of the days that a workspace is kept: opened after so many, its visitor is warned."""
LASTS = {"a day": 1, "a week": 7, "a month": 30, "a year": 365}


def draw_sharing() -> None:
    """Nothing on one's own machine."""
    if not service().store.hosted:
        return
    if library.shared_link() is not None:
        st.button("Back to my workspace", on_click=library.leave_share, width="stretch")
        return
    with st.popover("Workspace", icon=":material/folder_shared:", width="stretch"):
        _account()
        _share()
        _mine()
    full = service().store.visitors.nearly_full(library.workspace())
    if full:
        st.warning(problem.plain(full))
    if said := _almost_gone():
        st.warning(problem.plain(said))
    st.caption(problem.plain(_kept()))


def _kept() -> str:
    """How long this stays: the notice before anything goes."""
    if library.passing():
        return "Your browser sends no cookie, so this workspace is only here until you close the page."
    days = service().store.keep_days
    return f"Kept until nobody opens it for {days} days." if days else ""


def _almost_gone() -> str:
    """What to know where this workspace was near its end when it was opened now."""
    away_days = state.AWAY_DAYS.get(0.0)
    keep_days = service().store.keep_days
    if not keep_days or away_days < NEAR_THE_END * keep_days:
        return ""
    left = max(0, round(keep_days - away_days))
    return (
        f"Nobody had opened this workspace for {away_days:.0f} days; {left} more, and it would have gone. "
        f"It stays for another {keep_days} days now. Download what you want to keep."
    )


def _account() -> None:
    if not visitor.may_sign_in():
        return
    if visitor.account():
        st.caption(problem.plain(f"Signed in as {visitor.visitor_name()}"))
        st.button("Sign out", on_click=st.logout)
    else:
        st.button("Sign in", on_click=st.login, help="Your workspace is then yours on every machine.")


def _share() -> None:
    here, visitors = library.workspace(), service().store.visitors
    st.markdown("**Share**")
    one, two = st.columns(2)
    rights = one.selectbox(
        "Whoever has the link may",
        ["look", "judge and comment", "change things"],
        key=state.SHARE_RIGHTS.name,
    )
    lasts = two.selectbox("It ends after", list(LASTS), index=1, key=state.SHARE_LASTS.name)
    if st.button("Make a link", key=state.MAKE_LINK.name):
        try:
            _, token = visitors.share(
                here,
                may_edit=rights == "change things",
                may_comment=rights == "judge and comment",
                days=LASTS[lasts],
            )
            state.NEW_LINK.set(_address(token))
        except AppError as error:
            problem.show_error(error)
    if (address := state.NEW_LINK.get()) is not None:
        st.code(address, language=None, wrap_lines=True)
        st.caption("It is shown only now: copy it.")
    for link in visitors.links(here):
        left, right = st.columns([3, 1], vertical_alignment="center")
        left.caption(f"May {link.may}, until {_day(link.ends_at)}")
        right.button("Revoke", key=state.REVOKE(link.id).name, on_click=_revoke, args=(link.id,))


def _mine() -> None:
    here = library.workspace()
    st.markdown("**Everything of mine**")
    from core.store.takeout import takeout

    st.download_button(
        "Download all",
        lambda: takeout(here, service().store),
        "whence-workspace.zip",
        "application/zip",
        on_click="ignore",
    )
    _take_in()
    with st.expander("What was done"):
        deeds = service().store.visitors.deeds(here)
        st.dataframe(
            [{"when (UTC)": _moment(deed.at), "who": deed.who, "what": deed.what} for deed in deeds],
            hide_index=True,
            alt="What was done in this workspace",
        )
    if said := _copies():
        st.caption(problem.plain(said))
    sure = st.checkbox("Remove all my examples, answers, marks and shared links", key=state.FORGET_SURE.name)
    if st.button("Delete everything", type="primary", key=state.FORGET.name, disabled=not sure):
        service().store.visitors.forget(here)
        library.start_anew()
        st.rerun()


def _take_in() -> None:
    """A file of *Download all* comes back, beside what is here."""
    times = state.TAKEN_IN.get(0)
    file = st.file_uploader(
        "Take a downloaded file in again",
        ["zip"],
        key=state.TAKE_IN_FILE(times).name,
        help="Its datasets, examples with their versions, and stars come beside what is here; nothing is overwritten. "
        "Answers and maps are found where they are still kept.",
    )
    if said := state.TAKEN_IN_SAID.pop(""):
        st.success(problem.plain(said))
    if st.button("Take in", key=state.TAKE_IN.name, disabled=file is None) and file is not None:
        from core.store.takein import take_in

        try:
            bounds = Bounds.of(service().settings)
            state.TAKEN_IN_SAID.set(take_in(library.workspace(), file.getvalue(), bounds).sentence)
        except AppError as error:
            problem.show_error(error)
            return
        state.TAKEN_IN.set(times + 1)  # a new box, so that the file is not taken in twice
        st.rerun()


def _copies() -> str:
    """What still holds what is deleted here, and until when."""
    store = service().store
    if store.copies_of_others:
        return "Copies of the database that this site's operator makes may hold it for longer: ask them."
    gone_by = store.copies_gone_by()
    if gone_by is None:
        return ""
    return f"Deleting takes effect at once; safety copies of the database hold it until {_day(gone_by)}."


def _revoke(link: str) -> None:
    service().store.visitors.revoke(library.workspace(), link)
    state.NEW_LINK.pop()


def _address(token: str) -> str:
    """This page's address with the share's token, and what is open, but nothing else."""
    parts = urlsplit(st.context.url or "")
    kept = {
        name: st.query_params[name] for name in ("dataset", "example", "table") if name in st.query_params
    }
    return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode({**kept, "share": token}), ""))


def _day(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%d %B %Y}"


def _moment(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M}"
