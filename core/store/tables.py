"""The tables of the store: workspaces, datasets, examples, and what was computed for them.

Examples are append-only: an edit is a new row with a `parent_id`, so two people at work in one workspace
never overwrite each other. What costs a model call is kept by content and shared: `generations` knows the
prompt's digest, not the example, so the same prompt in two datasets has one answer; `sent` says whether that
prompt went as plain text or as a chat (`core.store.keys.listed_as`).

The shared workspace (`SHARED`) holds the datasets that come with the server; a workspace sees its own rows
and the shared ones. Moments are seconds since 1970 (UTC). JSON is kept as ASCII text, because PostgreSQL
refuses some characters in its own JSON types that a file may well hold.

Knows the shape of the rows only; `core/store/migrations` makes and changes it in a real database.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

SHARED = "shared"
LOCAL = "local"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _workspace(primary_key: bool = False) -> Column[str]:
    where = ForeignKey("workspaces.id", ondelete="CASCADE")
    return Column("workspace_id", String(64), where, primary_key=primary_key, nullable=False)


def _dataset(primary_key: bool = False) -> Column[str]:
    where = ForeignKey("datasets.id", ondelete="CASCADE")
    return Column("dataset_id", String(64), where, primary_key=primary_key, nullable=False)


workspaces = Table(
    "workspaces",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("created_at", Float, nullable=False),
    Column("seen_at", Float, nullable=False),
    Column("examples", BigInteger, nullable=False),
    Column("stored_bytes", BigInteger, nullable=False),
)

datasets = Table(
    "datasets",
    metadata,
    Column("id", String(64), primary_key=True),
    _workspace(),
    Column("name", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("columns", Text, nullable=False),
    Column("problems", Text, nullable=False),
    Column("imported", Text, nullable=False, server_default="{}"),
    Column("revision", BigInteger, nullable=False),
    Column("created_at", Float, nullable=False),
    Index(None, "workspace_id"),
)

# On SQLite only "INTEGER PRIMARY KEY" numbers its own rows.
_BIG = BigInteger().with_variant(Integer, "sqlite")

examples = Table(
    "examples",
    metadata,
    Column("seq", _BIG, primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False),
    _workspace(),
    _dataset(),
    Column("prompt", Text, nullable=False),
    Column("prompt_key", String(64), nullable=False),
    Column("target", Text),
    Column("source", Text, nullable=False),
    Column("parent_id", String(64)),
    Column("edit", Text, nullable=False),
    Column("tags", Text, nullable=False),
    Column("fields", Text, nullable=False),
    Column("retired", Boolean, nullable=False),
    Column("created_at", Float, nullable=False),
    UniqueConstraint("workspace_id", "id"),
    Index(None, "dataset_id", "seq"),
    Index(None, "dataset_id", "workspace_id", "retired"),
    Index(None, "parent_id"),
    Index(None, "prompt_key"),
)

stars = Table(
    "stars",
    metadata,
    _workspace(primary_key=True),
    Column("example_id", String(64), primary_key=True),
)

slices = Table(
    "slices",
    metadata,
    Column("id", String(64), primary_key=True),
    _workspace(),
    _dataset(),
    Column("name", Text, nullable=False),
    Column("created_at", Float, nullable=False),
    UniqueConstraint("workspace_id", "dataset_id", "name"),
)

slice_examples = Table(
    "slice_examples",
    metadata,
    Column("slice_id", String(64), ForeignKey("slices.id", ondelete="CASCADE"), primary_key=True),
    Column("example_id", String(64), primary_key=True),
)

generations = Table(
    "generations",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("prompt_key", String(64), nullable=False),
    Column("model_key", String(64), nullable=False),
    Column("model_name", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("sent", Text, nullable=False, server_default="plain"),
    Column("text", Text, nullable=False),
    Column("logprob_nats", Float),
    Column("response_tokens", Integer, nullable=False),
    Column("stop_reason", String(16), nullable=False),
    Column("seconds", Float, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Index(None, "prompt_key", "model_key"),
    Index(None, "created_at"),
)

metrics = Table(
    "metrics",
    metadata,
    _workspace(primary_key=True),
    Column("example_id", String(64), primary_key=True),
    Column("model_key", String(64), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("value", Float),
    Column("generation_key", String(64), nullable=False),
    Column("detail", Text, nullable=False),
    Column("created_at", Float, nullable=False),
    Index(None, "workspace_id", "created_at"),
)

checks = Table(
    "checks",
    metadata,
    _workspace(primary_key=True),
    _dataset(primary_key=True),
    Column("conditions", Text, nullable=False),
    Column("answer_columns", Text, nullable=False),
)

views = Table(
    "views",
    metadata,
    Column("id", String(64), primary_key=True),
    _workspace(),
    Column("name", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", Float, nullable=False),
    UniqueConstraint("workspace_id", "name"),
)

work = Table(
    "work",
    metadata,
    Column("id", String(64), primary_key=True),
    _workspace(),
    Column("kind", String(64), nullable=False),
    Column("key", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("payload", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("total", Integer, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("updated_at", Float, nullable=False),
    Index(None, "workspace_id", "kind", "key"),
)

work_items = Table(
    "work_items",
    metadata,
    Column("work_id", String(64), ForeignKey("work.id", ondelete="CASCADE"), primary_key=True),
    Column("item", String(64), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("result", Text, nullable=False),
)

holders = Table(
    "holders",
    metadata,
    Column("id", String(64), primary_key=True),
    _workspace(),
    Column("created_at", Float, nullable=False),
    Index(None, "workspace_id"),
)
"""Whose a workspace is: the digest of a browser's name or of an account, never the name itself."""

shares = Table(
    "shares",
    metadata,
    Column("id", String(64), primary_key=True),
    _workspace(),
    Column("token_digest", String(64), nullable=False, unique=True),
    Column("may_edit", Boolean, nullable=False),
    Column("may_comment", Boolean, nullable=False, server_default=false()),
    Column("created_at", Float, nullable=False),
    Column("ends_at", Float, nullable=False),
    Index(None, "workspace_id"),
)

deeds = Table(
    "deeds",
    metadata,
    Column("seq", _BIG, primary_key=True, autoincrement=True),
    _workspace(),
    Column("at", Float, nullable=False),
    Column("who", Text, nullable=False),
    Column("what", Text, nullable=False),
    Index(None, "workspace_id", "seq"),
)

prompt_tables = Table(
    "prompt_tables",
    metadata,
    Column("id", String(64), primary_key=True),
    _workspace(),
    _dataset(),
    Column("name", Text, nullable=False),
    Column("key", String(64), nullable=False),
    Column("plan", Text, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("updated_at", Float, nullable=False),
    Index(None, "workspace_id", "dataset_id"),
)
"""Tables of rows × prompt versions × models (`core.prompt_table.TablePlan` as JSON)."""

table_cells = Table(
    "table_cells",
    metadata,
    Column("table_id", String(64), ForeignKey("prompt_tables.id", ondelete="CASCADE"), primary_key=True),
    Column("example_id", String(64), primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("take", Integer, primary_key=True),
    Column("answer", Text, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("why", Text, nullable=False),
    Column("generation_key", String(64), nullable=False),
    Column("tie", Float),
)
"""One answer of a table; `place` is the column of the plan. Its text is kept here, whatever becomes of the answer."""

opinions = Table(
    "opinions",
    metadata,
    Column("id", String(64), primary_key=True),
    _workspace(),
    _dataset(),
    Column("example_id", String(64), nullable=False),
    Column("table_id", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("reviewer", Text, nullable=False),
    Column("value", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("place", String(16), nullable=False),
    Column("start", Integer, nullable=False),
    Column("stop", Integer, nullable=False),
    Column("quote", Text, nullable=False),
    Column("column", Integer, nullable=False),
    Column("other", Integer, nullable=False),
    Column("take", Integer, nullable=False),
    Column("at", Float, nullable=False),
    Index(None, "workspace_id", "example_id"),
    Index(None, "workspace_id", "table_id"),
)
"""What people said about answers (`core.review.Opinion`): rows are added and never changed."""
