"""A salience method: how strongly the answer reacts to each token, in the direction in which it reacts most."""

from whence.salience.declaration import Method

METHOD = Method(
    name="steepest",
    label="Steepest direction",
    description="How strongly the answer reacts to a change of each token, in the one direction that counts most.",
    units="nats per unit of embedding",
    signed=False,
    combines="alone",
    score=lambda gradient, _embeddings: gradient.abs().amax(-1),
)
