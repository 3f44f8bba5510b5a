"""Grad · input: `−(∂ loss / ∂ e_i) · e_i`, each token's first-order share in the target's log-probability.

Positive supports the target. Rows add. (On LIT's wire the sign is the loss's; it is turned there.)

Source: Denil et al. 2014, "Extraction of Salient Sentences from Labelled Documents"; Shrikumar et al. 2017,
"Learning Important Features Through Propagating Activation Differences", section 2.2.
"""

from core.salience.declaration import Method

METHOD = Method(
    name="grad_dot_input",
    label="Grad · input",
    description="The first-order share of each token in the answer's log-probability. On real models its sign is not "
    "reliable: read the size alone.",
    units="nats",
    signed=True,
    combines="add",
    score=lambda gradient, embeddings: -(gradient * embeddings).sum(-1),
    sign_holds=False,
)
