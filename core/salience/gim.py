"""GIM: `−(~∂ loss / ∂ e_i) · e_i`, a signed map from one forward and one backward pass by GIM's rules.

`~∂` is the backward pass of `core.models.local.gim_rules`: where a sure softmax or a product of two factors
hides a part from the plain gradient, it lets the influence through. Linear in the loss, so rows add. Positive
supports the target; parts are ranked by the signed value. For a family of models that the rules are not known
to fit the method is not offered (`Capabilities.gim`), and grad L2 takes its place.

Source: Edin et al. 2025, "GIM: Improved Interpretability for Large Language Models", arXiv 2505.17630.
"""

from __future__ import annotations

from core.salience import grad_dot_input, grad_l2
from core.salience.declaration import Method

METHOD = Method(
    name="gim",
    label="GIM",
    description="Which parts the answer draws on: one backward pass in which sure attention hides nothing. It names "
    "the cause first more often than any other map that was tried.",
    units="nats",
    signed=True,
    combines="add",
    score=grad_dot_input.METHOD.score,
    reads="gim",
    needs="gim",
    instead=(grad_l2.METHOD, (("seed", "log_odds"),)),
    rank_by="value",
)
