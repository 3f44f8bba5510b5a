"""What a person checks the answers of a dataset for, and in which columns of its file answers stand."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "checks",
        sa.Column("workspace_id", sa.String(64), nullable=False),
        sa.Column("dataset_id", sa.String(64), nullable=False),
        sa.Column("conditions", sa.Text(), nullable=False),
        sa.Column("answer_columns", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name="fk_checks_workspace_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["datasets.id"], name="fk_checks_dataset_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace_id", "dataset_id", name="pk_checks"),
    )


def downgrade() -> None:
    op.drop_table("checks")
