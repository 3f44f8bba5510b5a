"""Visitors of a hosted installation: whose a workspace is, which links share it, how long it stays, how it goes.

A workspace belongs to a browser (known by its cookie) or to an account (who signed in). A shared link is another
thing: it holds a token of its own, may only look or also change, ends, and can be revoked. Only digests of names
and tokens are kept, so whoever reads the database can open nothing with it. Knows no page and no cookie.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, delete, func, select

from core.errors import AppError
from core.records import digest
from core.store.engine import writing
from core.store.sql import chunks, insert_new
from core.store.tables import (
    LOCAL,
    SHARED,
    datasets,
    deeds,
    examples,
    generations,
    holders,
    shares,
    workspaces,
)
from core.store.workspace import Workspace

if TYPE_CHECKING:
    from core.store.store import Store

DAY = 86_400.0
MOST_SHARES = 50
_NEARLY = 0.8
"""From this part of a bound on, people are told."""


@dataclass(frozen=True, slots=True)
class SharedLink:
    """A link to a workspace; its token is told once, when it is made. Moments: seconds since 1970."""

    id: str
    may_edit: bool
    created_at: float
    ends_at: float
    may_comment: bool = False
    """Whether verdicts and comments may be added; whoever may edit may."""

    @property
    def may(self) -> str:
        """What it lets people do, in words."""
        return "change things" if self.may_edit else "judge and comment" if self.may_comment else "look"


@dataclass(frozen=True, slots=True)
class Deed:
    """Who did what in a workspace, and when (seconds since 1970)."""

    at: float
    who: str
    what: str


class Visitors:
    """What `Store.visitors` offers."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.engine = store.engine

    def home(self, holder: str, *, who: str, instead_of: str = "") -> Workspace:
        """The workspace of `holder` (a browser's name or an account's), made at the first visit.

        An account that comes for the first time takes over the workspace of `instead_of`, the browser it signed
        in from. `who` is written beside what is done. Raises: AppError when the site takes no more workspaces.
        """
        self.forget_unopened()
        mine, before = _holder(holder), _holder(instead_of) if instead_of else ""
        with self.engine.connect() as connection:
            found = connection.execute(select(holders.c.workspace_id).where(holders.c.id == mine)).scalar()
        if found is None:
            with writing(self.engine) as connection:
                taken = connection.execute(
                    select(holders.c.workspace_id).where(holders.c.id == before)
                ).scalar()
                if taken is not None:
                    connection.execute(delete(holders).where(holders.c.id == before))
            found = taken if taken is not None else self._store.new_workspace().id
            row = {"id": mine, "workspace_id": found, "created_at": time.time()}
            with writing(self.engine) as connection:
                insert_new(connection, holders, [row], ("id",))
                found = connection.execute(
                    select(holders.c.workspace_id).where(holders.c.id == mine)
                ).scalar_one()
        here = self._store.workspace(found)
        here.who = who
        return here

    def claim(self, holder: str, name: str) -> bool:
        """Give `holder` the workspace called `name`, as links of earlier versions named it; True: it is theirs now.

        Those links were the workspace's only key. The first who opens one and has kept nothing yet gets it; one that
        somebody holds is given to nobody else.
        """
        mine = _holder(holder)
        with writing(self.engine) as connection:
            there = select(workspaces.c.id).where(
                workspaces.c.id == name, workspaces.c.id.not_in((SHARED, LOCAL))
            )
            held = connection.execute(select(holders.c.id).where(holders.c.workspace_id == name)).scalar()
            if connection.execute(there).scalar() is None or held is not None:
                return held == mine
            own = select(holders.c.workspace_id).where(holders.c.id == mine)
            kept = select(datasets.c.id).where(datasets.c.workspace_id.in_(own))
            if connection.execute(kept).first() is not None:
                return False
            connection.execute(delete(holders).where(holders.c.id == mine))
            row = {"id": mine, "workspace_id": name, "created_at": time.time()}
            connection.execute(holders.insert(), [row])
        return True

    # --- shared links

    def share(
        self, workspace: Workspace, *, may_edit: bool, days: float, may_comment: bool = False
    ) -> tuple[SharedLink, str]:
        """A link to `workspace` that ends after `days`. Returns it and its token, which is kept nowhere."""
        token, now = secrets.token_urlsafe(32), time.time()
        made = SharedLink(secrets.token_urlsafe(6), may_edit, now, now + days * DAY, may_edit or may_comment)
        with writing(workspace.engine) as connection:
            here = shares.c.workspace_id == workspace.id
            connection.execute(delete(shares).where(here, shares.c.ends_at < now))
            held = connection.execute(select(func.count()).select_from(shares).where(here)).scalar_one()
            if held >= MOST_SHARES:
                raise AppError(f"There are {held} shared links already.", hint="Revoke one.", code="limit")
            row: dict[str, Any] = {"id": made.id, "workspace_id": workspace.id, "token_digest": _token(token)}
            row |= {
                "may_edit": may_edit,
                "may_comment": made.may_comment,
                "created_at": made.created_at,
                "ends_at": made.ends_at,
            }
            connection.execute(shares.insert(), [row])
            workspace.note(connection, f"shared it, to {made.may} ({made.id})")
        return made, token

    def links(self, workspace: Workspace) -> tuple[SharedLink, ...]:
        """The links to `workspace` that open it now, the newest first."""
        query = select(shares).where(shares.c.workspace_id == workspace.id, shares.c.ends_at >= time.time())
        with self.engine.connect() as connection:
            rows = connection.execute(query.order_by(shares.c.created_at.desc())).all()
        return tuple(_link(row) for row in rows)

    def revoke(self, workspace: Workspace, link: str) -> None:
        """From now on the link opens nothing, also where it is open already."""
        with writing(workspace.engine) as connection:
            connection.execute(
                delete(shares).where(shares.c.workspace_id == workspace.id, shares.c.id == link)
            )
            workspace.note(connection, f"revoked the link {link}")

    def shared(self, token: str, *, who: str) -> tuple[Workspace, SharedLink]:
        """The workspace that a link's `token` opens, one that cannot be written where the link may only look.

        Raises: AppError (code "missing") for a token that is unknown, revoked or ended: one sentence for all three.
        """
        query = select(shares).where(shares.c.token_digest == _token(token), shares.c.ends_at >= time.time())
        with self.engine.connect() as connection:
            row = connection.execute(query).first()
        if row is None:
            raise AppError(
                "This shared link does not open anything (any more): it has ended or was revoked.",
                hint="Ask whoever sent it for a new one.",
                code="missing",
            )
        here = self._store.workspace(row.workspace_id)
        if not row.may_edit:
            how = {"whence_read_only": True, "whence_may_comment": bool(row.may_comment)}
            here = Workspace(self.engine.execution_options(**how), here.id, here.limits)
        here.who = who
        return here, _link(row)

    # --- what was done, what is kept

    def deeds(self, workspace: Workspace, limit: int = 200) -> tuple[Deed, ...]:
        """Who did what, the newest first."""
        query = (
            select(deeds)
            .where(deeds.c.workspace_id == workspace.id)
            .order_by(deeds.c.seq.desc())
            .limit(limit)
        )
        with self.engine.connect() as connection:
            return tuple(Deed(row.at, row.who, row.what) for row in connection.execute(query))

    def nearly_full(self, workspace: Workspace) -> str:
        """A sentence once four fifths of a bound are reached, of this workspace or of all together; else ""."""
        limits = self._store.limits
        with self.engine.connect() as connection:
            mine = connection.execute(select(workspaces).where(workspaces.c.id == workspace.id)).one()
            count, weight = connection.execute(
                select(func.count(), func.coalesce(func.sum(workspaces.c.stored_bytes), 0))
            ).one()
        bounds = (
            ("This workspace holds", mine.examples, limits.examples, "examples"),
            ("This workspace holds", mine.stored_bytes, limits.stored_bytes, "bytes of text"),
            (
                "This site holds",
                int(weight) + limits.computed_bytes(),
                limits.all_bytes,
                "bytes of its visitors' texts, answers and maps",
            ),
            ("This site holds", count, limits.all_workspaces, "workspaces"),
        )
        for begin, held, most, things in bounds:
            if held >= _NEARLY * most:
                return f"{begin} {held:,} of at most {most:,} {things}. Download and remove what is no longer needed."
        return ""

    def forget(self, workspace: Workspace) -> None:
        """Everything of a workspace goes: examples, datasets, marks, links, and answers to its prompts.

        An answer or a map stays where another workspace, or the site's own examples, has the same prompt.
        """
        with writing(workspace.engine) as connection:
            gone = self._remove(connection, [workspace.id])
        self._store.forget_maps(gone)

    def forget_unopened(self, now: float | None = None) -> None:
        """What nobody opened for as long as the operator keeps it goes, at most once an hour."""
        moment = time.time() if now is None else now
        days = self._store.keep_days
        if not days or moment < self._store.swept_at + 3600:
            return
        self._store.swept_at = moment
        old = workspaces.c.seen_at < moment - days * DAY
        with writing(self.engine) as connection:
            own = workspaces.c.id.not_in((SHARED, LOCAL))
            names = list(connection.execute(select(workspaces.c.id).where(old, own)).scalars())
            gone = self._remove(connection, names)
        self._store.forget_maps(gone)

    def _remove(self, connection: Connection, names: list[str]) -> list[bytes]:
        """Returns the removed answers' payloads, by which their maps are known."""
        gone: list[bytes] = []
        for part in chunks(names, 200):
            mine = select(examples.c.prompt_key).where(examples.c.workspace_id.in_(part)).distinct()
            others = select(examples.c.prompt_key).where(examples.c.workspace_id.not_in(part))
            keys = set(connection.execute(mine).scalars())
            for group in chunks(sorted(keys)):
                kept = set(connection.execute(others.where(examples.c.prompt_key.in_(group))).scalars())
                lost = [key for key in group if key not in kept]
                here = generations.c.prompt_key.in_(lost)
                gone.extend(connection.execute(select(generations.c.payload).where(here)).scalars())
                connection.execute(delete(generations).where(here))
            connection.execute(delete(datasets).where(datasets.c.workspace_id.in_(part)))
            connection.execute(delete(workspaces).where(workspaces.c.id.in_(part)))
        return gone

    def opened(self, workspace: Workspace) -> float:
        """When the workspace was last opened, to the hour."""
        with self.engine.connect() as connection:
            query = select(workspaces.c.seen_at).where(workspaces.c.id == workspace.id)
            return float(connection.execute(query).scalar_one())


def _link(row: Row[Any]) -> SharedLink:
    return SharedLink(row.id, row.may_edit, row.created_at, row.ends_at, row.may_edit or row.may_comment)


def _holder(name: str) -> str:
    return digest("holder", name)


def _token(token: str) -> str:
    return digest("share", token)
