"""Signs, decimals, operators and units change a meaning; case, quotes and the way a number is written do not."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.metrics import MetricRow, measure, metric
from core.metrics.normalised import normalised, normalised_words
from core.metrics.numbers import close, last_number, numbers


def value(name: str, answer: str, target: str | tuple[str, ...]) -> float:
    return float(measure([MetricRow("1", answer, target)], metric(name)).values[0])


DIFFERENT = [
    *(
        ("-5", "5"),
        ("3.5", "35"),
        ("1/2", "12"),
        ("12:30", "1230"),
        ("x>1", "x<1"),
        ("C++", "C"),
        ("C#", "C"),
    ),
    *(
        ("A+", "A"),
        ("$5", "€5"),
        ("50%", "50"),
        ("5 kg", "5 g"),
        ("10²", "102"),
        ("x^2", "x2"),
        ("a-5", "a5"),
    ),
    *(
        ("3.11.4", "3114"),
        ("16:9", "169"),
        ("x != 1", "x = 1"),
        ("-x", "x"),
        ("~5", "5"),
        ("≤5", "5"),
        ("?", "!"),
    ),
    *(("1e5", "15"), ("2024-01-02", "20240102"), ("@user", "user")),
]
ALIKE = [
    *(("42.0", "42"), ("$1,234.50", "1234.5"), ("−5", "-5"), ("+5", "5"), ("**18**", "18"), ("- 18", "18")),
    *(
        ("The dog", "dog"),
        ("U.S.", "US"),
        ("don't", "dont"),
        ("e-mail", "email"),
        ("5kg", "5 kg"),
        ("½", "1/2"),
    ),
    *(("x > 1", "x>1"), ("yes, no", "yes no"), ("yes — no", "yes no"), ("-$5", "$-5"), ("0.50", ".5")),
    *(
        ("3,5", "3.5"),
        ('"Yes."', "yes"),
        ("٣٫٥", "3.5"),
        ("今天 5 元", "今天5元"),
        ("é", "e\u0301"),
        ("007", "7"),
    ),
]


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_what_changes_the_meaning_counts(one: str, other: str) -> None:
    for name in ("exact_match_normalised", "contains"):
        assert value(name, one, other) == value(name, other, one) == 0 or name == "contains"
    assert value("exact_match_normalised", one, other) == 0


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_what_is_only_written_otherwise_does_not(one: str, other: str) -> None:
    for name in ("exact_match_normalised", "contains", "token_f1"):
        assert value(name, one, other) == value(name, other, one) == 1


@pytest.mark.parametrize(
    ("answer", "target", "holds"),
    [
        ("The answer is -5.", "5", 0),
        ("The answer is -5.", "-5", 1),
        ("She makes $18 a day.", "18", 1),
        ("180", "18", 0),
        ("It is 3.5 km", "5", 0),
        ("at 12:30", "12", 0),
        ("I like C++ most", "C", 0),
        ("<think>no, no</think>yes", "yes", 1),
        ("<think>it may be 7</think>It is 8", "7", 0),
    ],
)
def test_the_answer_contains_the_target_as_it_means(answer: str, target: str, holds: int) -> None:
    assert value("contains", answer, target) == holds


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("so 3 + 4 = 7\n#### 18", "18"),
        ("#### -1,234.5 dollars", "-1234.5"),
        ("first \\boxed{\\frac{3}{4}} then 9", "3/4"),
        ("The answer is -5.", "-5"),
        ("16 - 3", "3"),
        ("10-5", "5"),
        ("$1,234.50", "1234.5"),
        ("12 000", "12000"),
        ("12\u202f000,5", "12000.5"),
        ("1.234.567,8", "1234567.8"),
        ("1,23,456", "123456"),
        ("3,5", "3.5"),
        ("1, 2, 3", "3"),
        ("1,2,3", "3"),
        ("2 1/2", "5/2"),
        ("2½", "5/2"),
        ("−7", "-7"),
        ("-$5", "-5"),
        ("$-5", "-5"),
        ("50 %", "1/2"),
        ("5‰", "1/200"),
        ("3 per cent", "3/100"),
        ("1.5 × 10^3", "1500"),
        ("3×10⁻²", "3/100"),
        ("1e-3", "1/1000"),
        ("10²", "100"),
        ("2 million", "2000000"),
        ("共18个", "18"),
        ("٣٫٥", "7/2"),
        ("5 m²", "5"),
        ("18th", "18"),
        ("on 12/05/2024", "2024"),
    ],
)
def test_the_number_that_a_text_comes_to(text: str, number: str) -> None:
    found = last_number(text)
    assert found is not None and found.value == Fraction(number)
    assert found.text.strip() and found.text in text


@pytest.mark.parametrize(
    "text", ["", "no number", "CO2", "1/0", "####", "9" * 500, "1e999999999", "\\boxed{}"]
)
def test_no_number_is_made_up(text: str) -> None:
    assert last_number(text) is None


@pytest.mark.parametrize(
    ("answer", "target", "holds"),
    [
        ("50%", "0.5", 1),
        ("50%", "50", 1),
        ("50%", "5000%", 0),
        ("0.5%", "50%", 0),
        ("1/3", "0.333", 0),
        ("18.000", "18", 1),
        ("$5", "5 apples", 1),
        ("$5", "€5", 0),
        ("12:30", "12.5", 0),
        ("12:30", "12:30:00", 0),
        ("-5", "5", 0),
        ("none", "5", 0),
        ("5", "five", 0),
        ("<think>18</think>So 17", "18", 0),
        ("I get 4.0", ("3", "4"), 1),
    ],
)
def test_same_number(answer: str, target: str | tuple[str, ...], holds: int) -> None:
    assert value("same_number", answer, target) == holds


def test_same_number_says_what_it_took() -> None:
    took = metric("same_number").took
    assert took is not None
    assert (took("2 dozen, so $1,224 a year\n#### 1,224"), took("nothing")) == ("1,224", "–")


@given(st.text(max_size=60))
def test_any_text_is_read_without_a_fault_and_equals_itself(text: str) -> None:
    for found in numbers(text):
        assert text[found.start : found.stop].strip() == found.text
    last_number(text)
    if text.strip():
        assert normalised_words(text)
        assert value("exact_match_normalised", text, text) in (1, 0) and value("exact_match", text, text) in (
            1,
            0,
        )


@given(st.fractions(-(10**9), 10**9, max_denominator=1000))
def test_a_fraction_and_a_decimal_are_read_back(number: Fraction) -> None:
    found = last_number(f"it is {number}")
    assert found is not None and found.value == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12:30", "750"),
        ("1:02:03", "3723"),
        ("½", "1/2"),
        ("2^3", "8"),
        ("2^{3}", "8"),
        ("2^-1", "1/2"),
        ("0^2", "0"),
        ("1E3", "1000"),
        ("1e400", "1" + "0" * 400),
        ("9" * 400, "9" * 400),
    ],
)
def test_clock_times_powers_and_what_is_just_short_enough(text: str, number: str) -> None:
    found = last_number(text)
    assert found is not None and found.value == Fraction(number)
    assert found.clock is (":" in text)


@pytest.mark.parametrize("text", ["1e401", "9" * 401, "0^-1", "1" * 41 + "^99"])
def test_what_is_just_too_long_or_nothing_is_no_number(text: str) -> None:
    assert last_number(text) is None
    assert last_number("1" * 50 + "^80") is not None  # 4,000 digits


def test_numbers_are_the_same_to_one_part_in_a_thousand_million() -> None:
    whole = Fraction(10**9)
    assert close(whole, whole) and close(whole, whole - 1) and close(1 - whole, -whole)
    assert not close(whole, whole - 2) and not close(Fraction(0), Fraction(1, 10**12))
    assert value("same_number", "50%", "0.005") == value("same_number", "0.005", "50%") == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0.50 and 3.0, -0", ["0.5", "and", "3", "0"]),
        ("-5 +5 +1/2", ["-5", "5", "1/2"]),
        ("007.070", ["7.07"]),
        ("a_b1 it's", ["ab1", "its"]),
        ("-(3)", ["-", "3"]),
        ("10² or 10^2", ["10", "^", "2", "or", "10", "^", "2"]),
        ("2½", ["2", "1/2"]),
        ("?  !", ["?", "!"]),
    ],
)
def test_each_piece_has_one_form(text: str, words: list[str]) -> None:
    assert normalised_words(text) == words
    assert normalised(text) == " ".join(words)
