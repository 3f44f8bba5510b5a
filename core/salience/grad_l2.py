"""Grad L2: the length of the gradient at each token, `grad_l2[i] = ‖∂ loss / ∂ e_i‖₂`.

Lengths of a sum are no sums of lengths, so the inner products `K_i[n, m] = ⟨g[n, i], g[m, i]⟩` are kept:
a set of rows with weights s scores sqrt(sᵀ K_i s), exactly (`core.aggregate.select`).

Source: Simonyan et al. 2014, "Deep Inside Convolutional Networks", section 3, with the L2 norm over the
embedding's width as in Li et al. 2016, "Visualizing and Understanding Neural Models in NLP".
"""

from core.salience.declaration import Method

METHOD = Method(
    name="grad_l2",
    label="Grad L2",
    description="How strongly the answer reacts to small changes of each token, whichever way.",
    units="nats per unit of embedding",
    signed=False,
    combines="gram",
    score=lambda gradient, _embeddings: gradient.norm(dim=-1),
)
