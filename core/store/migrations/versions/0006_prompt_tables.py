"""Tables of rows × prompt versions × models, and the answers and verdicts of their cells."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "prompt_tables",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("workspace_id", sa.String(64), nullable=False),
        sa.Column("dataset_id", sa.String(64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("updated_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspaces.id"],
            name=op.f("fk_prompt_tables_workspace_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["datasets.id"], name=op.f("fk_prompt_tables_dataset_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prompt_tables")),
    )
    op.create_index(
        op.f("ix_prompt_tables_workspace_id_dataset_id"), "prompt_tables", ["workspace_id", "dataset_id"]
    )
    op.create_table(
        "table_cells",
        sa.Column("table_id", sa.String(64), nullable=False),
        sa.Column("example_id", sa.String(64), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("take", sa.Integer(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("generation_key", sa.String(64), nullable=False),
        sa.Column("tie", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(
            ["table_id"], ["prompt_tables.id"], name=op.f("fk_table_cells_table_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("table_id", "example_id", "place", "take", name=op.f("pk_table_cells")),
    )


def downgrade() -> None:
    op.drop_table("table_cells")
    op.drop_table("prompt_tables")
