"""The demo model's own tokenizer: byte-level BPE, so that any text survives the way there and back.

Digits are single tokens, a newline is never merged with anything, and a word keeps the space before it. Every
ingredient and listed word is repeated in the corpus until it is one token. Special tokens and the chat
template are those of Gemma's form.
"""

import random
from collections.abc import Iterator

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from tools.demo_model.grammar import FAMILIES, draw, words
from tools.demo_model.model import CONTEXT

PAD, EOS, BOS, UNK = "<pad>", "<eos>", "<bos>", "<unk>"
START_OF_TURN, END_OF_TURN = "<start_of_turn>", "<end_of_turn>"
SPECIAL = (PAD, EOS, BOS, UNK, START_OF_TURN, END_OF_TURN)

# In order: newline, digit, contraction, word, punctuation, spaces before a word or at a line's end.
PIECES = r"\n|\p{N}|'(?:s|t|re|ve|m|ll|d)\b| ?[\p{L}\p{M}]+| ?[^\s\p{L}\p{M}\p{N}]+|[^\S\n]+(?!\S)|[^\S\n]+"

CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "{{ '<start_of_turn>' + ('model' if message['role'] == 'assistant' else message['role']) + '\n'"
    " + message['content'] + '<end_of_turn>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}"
)


def corpus(seed: int, prompts: int = 4000) -> Iterator[str]:
    """Yields the text to learn merges from: prompts of every family, then each listed word often."""
    rng = random.Random(seed)
    for _ in range(prompts):
        for family in FAMILIES:
            record = draw(rng, family, split="train").join()
            yield record.prompt + record.response
    listed = [*words.ALL_INGREDIENTS, *words.COMMON, *words.PEOPLE, *words.CATEGORY_WORDS.values()]
    for word in listed:
        yield f" {word}" * 400
    for word in (*words.GOOD_PHRASES, *words.BAD_PHRASES):
        yield f"{word} " * 60


def train_tokenizer(seed: int, vocabulary: int, prompts: int = 4000) -> PreTrainedTokenizerFast:
    """Returns a tokenizer of at most `vocabulary` tokens learned from the grammar's own text."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PIECES), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus(seed, prompts), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A", pair=f"{BOS} $A $B", special_tokens=[(BOS, tokenizer.token_to_id(BOS))]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        eos_token=EOS,
        bos_token=BOS,
        unk_token=UNK,
        additional_special_tokens=[START_OF_TURN, END_OF_TURN],
        chat_template=CHAT_TEMPLATE,
        clean_up_tokenization_spaces=False,
        model_input_names=["input_ids", "attention_mask"],
        padding_side="left",
        model_max_length=CONTEXT,
    )
