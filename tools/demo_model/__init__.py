"""The bundled demo model: a synthetic grammar, the training that learns it, and its evaluation."""
