"""A check: whether an answer says please or thank you."""


def polite(prompt: str, answer: str, targets: tuple[str, ...]) -> tuple[str, str]:
    words = [word for word in ("please", "thank you") if word in answer.casefold()]
    return ("right", f"it says {words[0]}") if words else ("wrong", "it says neither please nor thank you")
