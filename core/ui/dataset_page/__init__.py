"""The Dataset page's parts: the table, what narrows it, loading, the rows in hand, and running the model."""
