"""The Editor page: one example's prompt and target, its variables, its versions."""
