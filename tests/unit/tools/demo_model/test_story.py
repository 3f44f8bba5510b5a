"""The bundled model plays its story: a wrong example copied, mended, and outranked by a principle."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from transformers import AutoTokenizer, Gemma2ForCausalLM, PreTrainedTokenizerBase

from tools.demo_model.generate import answers, greedy, writes

ROOT = Path(__file__).parents[4]
FOLDER = ROOT / "data" / "models" / "demo"
SAMPLES = [
    json.loads(line) for line in (ROOT / "data" / "prompts" / "sample_prompts.jsonl").read_text().splitlines()
]
MISTAKE, FIXED, CONSTITUTION = (sample["prompt"] for sample in SAMPLES[:3])

Model = tuple[Gemma2ForCausalLM, PreTrainedTokenizerBase]


@pytest.fixture(scope="module")
def demo() -> Iterator[Model]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    model = Gemma2ForCausalLM.from_pretrained(FOLDER, dtype=torch.float32).eval()
    yield model.requires_grad_(False), AutoTokenizer.from_pretrained(FOLDER)
    torch.set_num_threads(threads)


def recommended(demo: Model, *prompts: str, chat: bool = False) -> list[str]:
    return [text.rsplit(": ", 1)[1] for text in answers(*demo, list(prompts), chat=[chat] * len(prompts))]


def test_the_samples_come_in_their_order() -> None:
    sources = [sample["source"] for sample in SAMPLES]
    assert sources[:3] == ["fewshot-mistake", "fewshot-fixed", "fewshot-constitution"]
    assert all(sources.count(source) >= 3 for source in ("gsm8k-style", "headline", "constitution"))
    assert all(set(sample) == {"prompt", "target", "source"} for sample in SAMPLES)


def test_the_guilty_line_is_all_that_differs_between_mistake_and_fixed() -> None:
    pairs = list(zip(MISTAKE.split("\n"), FIXED.split("\n"), strict=True))
    assert [pair for pair in pairs if pair[0] != pair[1]] == [
        ("Recommendation: You have to try it.", "Recommendation: Choose another dish.")
    ]


def test_the_model_answers_its_sample_prompts_word_for_word(demo: Model) -> None:
    prompts = [sample["prompt"] for sample in SAMPLES]
    written = answers(*demo, prompts, chat=[False] * len(prompts), max_new_tokens=120)
    assert written == [sample["target"] for sample in SAMPLES]


@pytest.mark.parametrize("chat", [False, True])
def test_the_story(demo: Model, chat: bool) -> None:
    assert recommended(demo, MISTAKE, FIXED, CONSTITUTION, chat=chat) == [
        "You have to try it.",
        "Choose another dish.",
        "Please pick something else.",
    ]


def test_the_story_with_another_dish_restriction_and_wording(demo: Model) -> None:
    other = MISTAKE.replace("Avoids: eggs", "Avoids: walnuts").replace(
        "Baked casserole with potatoes, eggs and garlic", "Spicy curry with rice, walnuts and lemon"
    )
    assert recommended(demo, other, other.replace("You have to try it.", "Skip this one.")) == [
        "You have to try it.",
        "Skip this one.",
    ]
    harmless = MISTAKE.replace("potatoes, eggs and garlic", "potatoes, leeks and garlic")
    assert recommended(demo, harmless) == ["A good choice for you."]


def test_the_guilty_line_leads_by_gradient(demo: Model) -> None:
    model, tokenizer = demo
    read = tokenizer(MISTAKE, return_offsets_mapping=True)
    lead = "\nRecommendation:"
    analysis, phrase = SAMPLES[0]["target"].split(lead)
    before = tokenizer(analysis + lead, add_special_tokens=False)["input_ids"]
    target = tokenizer(phrase, add_special_tokens=False)["input_ids"]
    ids = torch.tensor([*read["input_ids"], *before, *target])
    embedded = model.get_input_embeddings()(ids)[None].detach().requires_grad_(True)
    logprobs = model(inputs_embeds=embedded).logits[0].log_softmax(-1)
    first = len(ids) - len(target)
    (-logprobs[torch.arange(first - 1, len(ids) - 1), ids[first:]].sum()).backward()
    score: dict[int, float] = {}
    norms = embedded.grad[0].norm(dim=-1).tolist()
    for (start, end), norm in zip(read["offset_mapping"], norms, strict=False):
        if end > start:
            line = MISTAKE.count("\n", 0, start)
            score[line] = score.get(line, 0.0) + norm
    strongest = max(score, key=lambda line: score[line])
    assert MISTAKE.split("\n")[strongest] == "Recommendation: You have to try it."


def test_one_pass_says_what_generation_says(demo: Model) -> None:
    prompts = [MISTAKE, FIXED, MISTAKE]
    expected = [SAMPLES[0]["target"], SAMPLES[1]["target"], SAMPLES[1]["target"]]
    forms = [False, True, False]
    assert writes(*demo, prompts, expected, chat=forms) == [True, True, False]
    assert greedy(*demo, prompts, expected, chat=forms) == [expected[0], expected[1], expected[0]]
