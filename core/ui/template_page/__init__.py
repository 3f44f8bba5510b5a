"""The Template page: which section of a prompt template carries the answers, over many rows."""
