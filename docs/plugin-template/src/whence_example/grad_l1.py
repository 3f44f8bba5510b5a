"""A salience method: how strongly the answer reacts to each token, all directions added up."""

from whence.salience.declaration import Method

METHOD = Method(
    name="grad_l1",
    label="Grad L1",
    description="How strongly the answer reacts to a change of each token, all directions added up.",
    units="nats per unit of embedding",
    signed=False,
    combines="alone",
    score=lambda gradient, _embeddings: gradient.abs().sum(-1),
)
