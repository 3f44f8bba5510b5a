"""How a prompt was sent: plain text, or the user's turn of a chat. What is there was plain text."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("generations", sa.Column("sent", sa.Text(), server_default="plain", nullable=False))


def downgrade() -> None:
    op.drop_column("generations", "sent")
