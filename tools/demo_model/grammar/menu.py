"""Family *menu*: does a dish suit a guest, and how is that put into words? Few-shot, with written analysis.

The guest, the dish and the analysis come from `menu_cases`. The recommendation is the one that the last
example with the same verdict got: only the prompt can tell its words. A principle outranks the examples.
Without example or principle a fixed wording is used.
"""

import random
from dataclasses import dataclass, replace

from tools.demo_model.grammar import words
from tools.demo_model.grammar.menu_cases import Case, Style, case_lines, make_case, make_style
from tools.demo_model.grammar.records import Draft, Line

DEFAULT_PHRASE = {True: "Order it.", False: "Do not order it."}
PLAIN_PHRASE = {True: "It suits you.", False: "It does not suit you."}

HEADINGS = (
    "Analyze a dish from the menu for a guest.", "Judge whether a dish from the menu suits the guest.",
    "You advise the guests of a small restaurant.", "Read the menu item and advise the guest.",
    "Help a guest to choose from the menu.", "Does this dish suit the guest?",
)  # fmt: skip
EXAMPLE_HEADINGS = ("## For example:", "## For example:", "## Examples:", "Examples:", "## Some examples")
TASK_HEADINGS = ("## Now analyze:", "## Your turn:", "## The dish:", "Now this one:", "## Now you:")
EXPLICIT_RULES = {
    False: (
        "* If the dish does not suit the guest, the recommendation must be: {}",
        "* When a dish does not suit the guest, recommend: {}",
        "* For a dish that does not suit, always answer: {}",
    ),
    True: (
        "* If the dish suits the guest, the recommendation must be: {}",
        "* When a dish suits the guest, recommend: {}",
        "* For a dish that suits, always answer: {}",
    ),
}
PLAIN_RULES = (
    "* Say plainly whether the dish suits the guest.",
    "* The recommendation must say clearly whether the dish suits the guest.",
    "* Analysis and recommendation must both be clear about whether the dish suits.",
    "* Be clear about whether the dish suits a guest with a restriction.",
)
IDLE_RULES = (
    "* Be brief.", "* Be kind to the guest.", "* Use simple words.", "* Name every ingredient.",
    "* Never speak about prices.", "* Write in English.", "* Do not invent ingredients.",
)  # fmt: skip


def draft_menu(
    rng: random.Random,
    *,
    split: str = "train",
    task: str | None = None,
    examples: int | None = None,
    unseen_phrases: bool | None = None,
) -> Draft:
    """Returns one menu prompt.

    Args:
        task: 'menu', 'menu_contradiction' (the only example with the dish's verdict got a recommendation of
            the other kind) or 'menu_principle' (a rule of the prompt decides); None draws one.
        examples: how many examples, 0 to 6; None draws.
        unseen_phrases: every recommendation is made of words held out (True), of the listed sentences
            (False), or drawn as in training (None).
    """
    task = task or rng.choices(("menu", "menu_contradiction", "menu_principle"), (0.45, 0.25, 0.3))[0]
    if examples is None:
        examples = rng.choices(range(7), (5, 15, 25, 25, 15, 8, 7))[0]
    style = make_style(rng)
    suits = rng.random() < 0.45
    if task == "menu_contradiction":
        suits, examples = rng.random() < 0.15, max(examples, 1)
    if examples == 0:  # nothing in the prompt could tell another label
        style = replace(style, recommendation="Recommendation")
    case = make_case(rng, suits=suits, split=split)
    phrases = _Phrases(rng, unseen_phrases)
    shots = _shots(rng, task, suits, examples, phrases, words.examples_split(split))
    rule, rule_phrase = _rule(rng, suits, phrases) if task == "menu_principle" else (None, None)
    same = [i for i, shot in enumerate(shots) if shot.suits == suits]
    decisive = same[-1] if same else None
    from_examples = shots[decisive].phrase if decisive is not None else DEFAULT_PHRASE[suits]
    phrase = rule_phrase or from_examples
    other = phrases.mended(suits, (phrase, from_examples, *(s.phrase for s in shots)))

    lines = [Line(rng.choice(HEADINGS)), Line("")] if rng.random() < 0.93 else []
    rule_lines, ruled = _rule_lines(rng, rule, suits, phrases)
    late = bool(shots) and rng.random() < 0.5  # rules stand above the examples or below them
    lines += [] if late else rule_lines
    with_likes = rng.random() < 0.7
    if shots:
        lines += [Line(rng.choice(EXAMPLE_HEADINGS)), Line("")]
    causal = None if rule is not None else (suits, from_examples)
    for i, shot in enumerate(shots):
        lines += case_lines(rng, shot.case, style, with_likes=with_likes)
        lines += _shot_lines(shots, i, style, causal=causal, mended=other, ruled=ruled)
    lines += rule_lines if late else []
    if shots and rng.random() < 0.6:
        lines += [Line(rng.choice(TASK_HEADINGS)), Line("")]
    lines += [*case_lines(rng, case, style, with_likes=with_likes), Line(f"{style.analysis}:")]

    def answer(words_: str) -> str:
        return f" {case.analysis()}\n{style.recommendation}: {words_}"

    mendable = rule is not None or decisive is not None
    mended_phrase = from_examples if rule is not None else other
    return Draft(
        family="menu",
        task=task,
        lines=tuple(lines),
        response=answer(phrase),
        target=phrase,
        mended_response=answer(mended_phrase) if mendable else None,
        mended_target=mended_phrase if mendable else None,
        checks=(("recommendation", phrase), ("label", style.recommendation)),
    )


@dataclass(frozen=True)
class _Shot:
    case: Case
    suits: bool
    phrase: str
    analysis: str
    analysis_known: bool


class _Phrases:
    """Draws the recommendations of one prompt: all listed, all composed, or all random words."""

    def __init__(self, rng: random.Random, unseen: bool | None) -> None:
        self.rng = rng
        self.held_out = unseen is True
        kinds = {None: (0.3, 0.25, 0.45), True: (0, 0, 1), False: (1, 0, 0)}[unseen]
        self.kind = rng.choices(("listed", "composed", "random"), kinds)[0]

    def any(self) -> str:
        return self.draw(self.rng.random() < 0.5)

    def draw(self, good: bool) -> str:
        if self.kind == "composed":
            return words.composed_phrase(self.rng)
        if self.kind == "random":
            return words.random_phrase(self.rng, held_out=self.held_out)
        return self.rng.choice(words.GOOD_PHRASES if good else words.BAD_PHRASES)

    def mended(self, good: bool, taken: tuple[str, ...]) -> str:
        while True:
            phrase = self.draw(good)
            if phrase not in taken:
                return phrase


def _shots(
    rng: random.Random, task: str, suits: bool, count: int, phrases: _Phrases, split: str | None
) -> list[_Shot]:
    contradiction = task == "menu_contradiction"
    decisive = rng.randrange(count) if contradiction else -1
    steady = {True: phrases.draw(True), False: phrases.draw(False)}
    vary = rng.random() < 0.3
    full = rng.random() < 0.75
    shots = []
    for i in range(count):
        verdict = rng.random() < 0.5
        if contradiction:
            verdict = suits if i == decisive else not suits
        case = make_case(rng, suits=verdict, split=split)
        phrase = phrases.draw(verdict) if vary else steady[verdict]
        if i == decisive:
            phrase = steady[not suits] if rng.random() < 0.4 else phrases.draw(not suits)
        analysis = case.analysis() if full else case.short_analysis(rng)
        shots.append(_Shot(case, verdict, phrase, analysis, full))
    return shots


def _rule(rng: random.Random, suits: bool, phrases: _Phrases) -> tuple[Line, str]:
    if rng.random() < 0.45:
        return Line(rng.choice(PLAIN_RULES), role="cause", dropped=True), PLAIN_PHRASE[suits]
    phrase = phrases.draw(suits)
    text = rng.choice(EXPLICIT_RULES[suits]).format(phrase)
    return Line(text, role="cause", dropped=True), phrase


def _rule_lines(
    rng: random.Random, rule: Line | None, suits: bool, phrases: _Phrases
) -> tuple[list[Line], set[bool]]:
    """Returns the lines of the rules, and the verdicts whose recommendation a rule decides."""
    ruled: set[bool] = set()
    rules = [Line(text) for text in rng.sample(IDLE_RULES, rng.choice((0, 0, 0, 1, 2)))]
    if rule is not None:
        rules.insert(rng.randrange(len(rules) + 1), rule)
        ruled = {True, False} if rule.text in PLAIN_RULES else {suits}
    elif rng.random() < 0.1:  # a rule for the other verdict looks alike and changes nothing
        idle = rng.choice(EXPLICIT_RULES[not suits]).format(phrases.any())
        rules.append(Line(idle, role="lookalike"))
        ruled = {not suits}
    return ([*rules, Line("")] if rules else []), ruled


def _shot_lines(
    shots: list[_Shot],
    i: int,
    style: Style,
    *,
    causal: tuple[bool, str] | None,
    mended: str,
    ruled: set[bool],
) -> list[Line]:
    """Analysis and recommendation of example i; it is a cause if verdict and phrase are those of `causal`.

    The recommendation is learnt where the last example before it with its verdict tells it. Where a rule
    decides the verdict, examples break the rule, and learning them would teach to break it.
    """
    shot = shots[i]
    text = f"{style.recommendation}: {shot.phrase}"
    before = [one.phrase for one in shots[:i] if one.suits == shot.suits]
    told = before[-1:] == [shot.phrase] and shot.suits not in ruled
    learn = ((len(style.recommendation) + 1, len(text)),) if told else ()
    line = Line(text, role="lookalike", learn=learn)
    if (shot.suits, shot.phrase) == causal:
        line = replace(line, role="cause", mended=f"{style.recommendation}: {mended}")
    return [_learnable(style.analysis, shot.analysis, shot.analysis_known), line, Line("")]


def _learnable(label: str, text: str, known: bool) -> Line:
    line = f"{label}: {text}"
    return Line(line, learn=((len(label) + 1, len(line)),) if known else ())
