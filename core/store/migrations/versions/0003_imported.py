"""How a dataset was read: what its columns are, rows in, used and left out. Unknown of those that are there."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("datasets", sa.Column("imported", sa.Text(), server_default="{}", nullable=False))


def downgrade() -> None:
    op.drop_column("datasets", "imported")
