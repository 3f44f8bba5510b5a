"""Answers and matrices by content: exact, shared, bounded, and never read back broken."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.records import Example, Generation, GenerationParams, Message, SalienceMatrix
from core.store import Bundle, Store, generation_key, model_key
from core.store.bundle import read_salience, salience_from_bytes, salience_to_bytes
from core.store.salience_files import SalienceFiles
from tests.unit.store.conftest import make_generation, make_matrix


def same_generation(a: Generation, b: Generation) -> bool:
    arrays = ("ids", "char_spans", "special", "role")
    return (
        (a.example_id, a.model, a.params, a.text, a.stop_reason, a.seconds, a.tokens.text)
        == (b.example_id, b.model, b.params, b.text, b.stop_reason, b.seconds, b.tokens.text)
        and a.tokens.prompt_len == b.tokens.prompt_len
        and all(np.array_equal(getattr(a.tokens, name), getattr(b.tokens, name)) for name in arrays)
        and np.array_equal(a.logprob_nats, b.logprob_nats, equal_nan=True)
    )


def same_matrix(a: SalienceMatrix, b: SalienceMatrix) -> bool:
    def facts(m: SalienceMatrix) -> tuple[object, ...]:
        return m.request, m.signed, m.units, m.note, m.gram is None

    grams = a.gram is None or b.gram is None or np.array_equal(a.gram, b.gram)
    return facts(a) == facts(b) and np.array_equal(a.values, b.values) and grams


def test_an_answer_is_found_by_content_and_beside_the_prompt(store: Store) -> None:
    made = make_generation("is it good?", "yes\x00")
    key = generation_key("is it good?", made.model, made.params)
    assert store.generation(key) is None
    store.save_generation(key, made, prompt="is it good?")
    found = store.generation(key)
    assert found is not None and same_generation(found, made)
    other = store.generation(key, example_id="e9")
    assert other is not None and other.example_id == "e9"
    assert store.known_generations([key, "0" * 64]) == {key}
    workspace = store.workspace()
    dataset = workspace.datasets.add("menu", [Example("a", "is it good?"), Example("b", "other")])
    (row,) = workspace.results.responses(dataset.id).to_dict("records")
    assert (row["id"], row["model"], row["text"]) == ("a", "tiny", "yes\ufffd")
    assert row["logprob_nats"] == pytest.approx(4 * np.log(0.5), abs=1e-6)


def test_only_the_newest_drawn_answer_of_a_model_stands_in_the_table(store: Store) -> None:
    first, second = make_generation("p", "old"), make_generation("p", "new")
    second = replace(second, params=GenerationParams(max_new_tokens=7))
    typed = make_generation("p", "typed")
    for made, response in ((first, None), (second, None), (typed, "typed")):
        key = generation_key("p", made.model, made.params, response)
        store.save_generation(key, made, prompt="p")
    workspace = store.workspace()
    dataset = workspace.datasets.add("menu", [Example("a", "p")])
    assert workspace.results.responses(dataset.id)["text"].tolist() == ["new"]


def test_answers_to_plain_text_and_to_a_chat_stand_side_by_side(store: Store) -> None:
    turns = [{"role": "system", "content": "Be brief."}]
    bare, chat = Example("bare", "p"), Example("chat", "p", fields={"earlier_turns": turns})
    asked = {"plain": "p", "bare chat": bare.sent("chat"), "own chat": chat.sent("chat")}
    asked["other"] = (Message("system", "Be long."), Message("user", "p"))
    asked["prefilled"] = (Message("user", "p"), Message("assistant", "p"))
    for name, prompt in asked.items():
        made = make_generation("p", name)
        store.save_generation(generation_key(prompt, made.model, made.params), made, prompt=prompt)
    workspace = store.workspace()
    table = workspace.results.responses(workspace.datasets.add("menu", [bare, chat]).id)
    found = {(row.id, row.send_as): row.text for row in table.itertuples()}
    assert found == {
        ("bare", "plain"): "plain",
        ("bare", "chat"): "bare chat",
        ("chat", "plain"): "plain",
        ("chat", "chat"): "own chat",
    }
    assert set(table["answerer"][table["send_as"] == "plain"]) == {model_key(made.model)}
    assert table["answerer"].nunique() == 2


def test_the_key_counts_what_can_change_an_answer_and_nothing_else() -> None:
    made = make_generation()
    key = generation_key("p", made.model, GenerationParams())
    assert key == generation_key("p", replace(made.model, name="other"), GenerationParams(seed=3, top_p=0.5))
    changed = {
        generation_key("q", made.model, GenerationParams()),
        generation_key("p", replace(made.model, dtype="bfloat16"), GenerationParams()),
        generation_key("p", made.model, GenerationParams(max_new_tokens=5)),
        generation_key("p", made.model, GenerationParams(temperature=1.0)),
        generation_key("p", made.model, GenerationParams(temperature=1.0, seed=1)),
        generation_key("p", made.model, GenerationParams(), "typed"),
        generation_key([Message("user", "p")], made.model, GenerationParams()),
        key,
    }
    assert len(changed) == 8


def test_where_answers_are_bounded_the_oldest_leave(open_store: Callable[..., Store]) -> None:
    store = open_store(generation_bytes=20_000)
    keys = []
    for number in range(60):
        made = make_generation(f"prompt {number}", "answer")
        keys.append(generation_key(f"prompt {number}", made.model, made.params))
        store.save_generation(keys[-1], made, prompt=f"prompt {number}")
    held = store.known_generations(keys)
    assert 10 < len(held) < 60
    assert held == set(keys[-len(held) :])


@pytest.mark.parametrize("gram", [True, False])
def test_a_matrix_comes_back_exactly(store: Store, gram: bool) -> None:
    matrix = make_matrix(gram=gram)
    assert store.salience(matrix.request.key) is None
    assert store.save_salience(matrix)
    found = store.salience(matrix.request.key)
    assert found is not None and same_matrix(found, matrix)


def test_a_gram_that_is_not_symmetric_to_the_last_bit_is_kept_whole() -> None:
    matrix = make_matrix()
    assert matrix.gram is not None
    gram = matrix.gram.copy()
    gram[0, 0, 1] = np.nextafter(gram[0, 0, 1], np.float32(np.inf))
    crooked = replace(matrix, gram=gram)
    assert same_matrix(salience_from_bytes(salience_to_bytes(crooked)), crooked)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_spoiled_file_is_missing_or_still_right(tmp_path: Path, data: st.DataObject) -> None:
    matrix = make_matrix()
    whole = salience_to_bytes(matrix)
    if data.draw(st.booleans(), label="truncate"):
        spoiled = whole[: data.draw(st.integers(0, len(whole) - 1))]
    else:
        place = data.draw(st.integers(0, len(whole) - 1))
        spoiled = whole[:place] + bytes([whole[place] ^ data.draw(st.integers(1, 255))]) + whole[place + 1 :]
    path = tmp_path / "spoiled.npz"
    path.write_bytes(spoiled)
    found = read_salience(path)
    assert found is None or same_matrix(found, matrix)


def test_a_broken_file_or_one_of_another_request_is_removed(tmp_path: Path) -> None:
    files, one, two = SalienceFiles(tmp_path, 10**6), make_matrix(1), make_matrix(2)
    files.put(one)
    files.put(two)
    first, second = (tmp_path / "salience" / m.request.key[:2] / f"{m.request.key}.npz" for m in (one, two))
    first.write_bytes(second.read_bytes())
    second.write_bytes(b"PK\x03\x04")
    for matrix, path in ((one, first), (two, second)):
        assert files.get(matrix.request.key) is None
        assert not path.exists()


def test_pickled_arrays_are_never_opened(tmp_path: Path) -> None:
    path = tmp_path / "evil.npz"
    np.savez(path, meta=np.array([{"format": 1}], dtype=object))
    assert read_salience(path) is None


def test_the_least_recently_used_leave_first(tmp_path: Path) -> None:
    matrices = [make_matrix(seed) for seed in range(4)]
    size = len(salience_to_bytes(matrices[0]))
    files = SalienceFiles(tmp_path, 3 * size)
    for age, matrix in enumerate(matrices[:3]):
        files.put(matrix)
        path = tmp_path / "salience" / matrix.request.key[:2] / f"{matrix.request.key}.npz"
        os.utime(path, (1000 + age, 1000 + age))
    assert files.get(matrices[0].request.key) is not None  # now the most recently used
    files.put(matrices[3])
    assert [files.get(m.request.key) is not None for m in matrices] == [True, False, True, True]
    assert files.stored_bytes() == 3 * size
    assert not SalienceFiles(tmp_path, size - 1).put(matrices[0])


def test_a_bundle_is_found_by_the_same_keys_and_listed_beside_prompts(
    tmp_path: Path, open_store: Callable[..., Store]
) -> None:
    bundle, matrix = Bundle(tmp_path / "bundle"), make_matrix()
    made = make_generation("shipped prompt", "shipped answer")
    key = bundle.write_generation("shipped prompt", made)
    bundle.write_salience(matrix)
    store = open_store(bundle=tmp_path / "bundle")
    assert key == generation_key("shipped prompt", made.model, made.params)
    found, scores = store.generation(key), store.salience(matrix.request.key)
    assert found is not None and same_generation(found, made)
    assert scores is not None and same_matrix(scores, matrix)
    dataset = store.workspace().datasets.add("menu", [Example("a", "shipped prompt")])
    assert store.workspace().results.responses(dataset.id)["text"].tolist() == ["shipped answer"]
    assert store.salience_bytes() == 0


def test_a_bundle_is_written_the_same_twice(tmp_path: Path) -> None:
    matrix, made = make_matrix(), make_generation()
    for folder in ("one", "two"):
        bundle = Bundle(tmp_path / folder)
        bundle.write_generation("ab", made)
        bundle.write_salience(matrix)
    one, two = (sorted(p for p in (tmp_path / f).rglob("*.*")) for f in ("one", "two"))
    assert [p.read_bytes() for p in one] == [p.read_bytes() for p in two] and len(one) == 2
