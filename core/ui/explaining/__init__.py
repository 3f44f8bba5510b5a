"""How an answer's reasons are chosen and fetched for showing. Knows no page."""
