"""The Trust page: how far each method can be believed on this model, and on the example at hand."""
