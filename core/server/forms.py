"""What the endpoints take and give, as pydantic models: the OpenAPI text is made from these."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema


def _whole_text(text: str) -> str:
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise ValueError("the text holds half of a character pair (a surrogate)")
    return text


def _flag(value: float) -> float:
    if value not in (0, 1):
        raise ValueError("each value should be 0 or 1")
    return value


Text = Annotated[str, AfterValidator(_whole_text)]
Flag = Annotated[float, AfterValidator(_flag), WithJsonSchema({"enum": [0, 1]})]
Scores = list[float]


class RequestInputs(BaseModel):
    """What comes in: types are meant as written, `"5"` is no number. Further fields are ignored."""

    model_config = ConfigDict(strict=True)


class LitInput(RequestInputs):
    """One example."""

    prompt: Text
    target: Text | None = None
    target_mask: list[Flag] | None = Field(
        default=None,
        description="1 for each token of prompt + target to explain (as /tokenize gives them); the first is "
        "never explained. Missing or empty: the whole target.",
    )


class LitRequest(RequestInputs):
    """LIT's envelope."""

    inputs: list[LitInput]


class Predicted(BaseModel):
    response: str


class Tokenized(BaseModel):
    tokens: list[str] = Field(description="Tokens of prompt + target; a space shows as U+2581.")


class Explained(BaseModel):
    tokens: list[str]
    grad_l2: Scores = Field(description="Length of the gradient of the loss at each token.")
    grad_dot_input: Scores = Field(
        description="Gradient of the loss times the embedding: positive makes the target less likely."
    )


class Turn(RequestInputs):
    """One turn of a chat."""

    role: Literal["system", "user", "assistant"]
    content: Text


Prompt = Annotated[Text | list[Turn], Field(description="Plain text, or the turns of a chat.")]


AS_TEXT = "Control tokens that stand in the prompt are sent as text, not read as such."


class GenerateRequest(RequestInputs):
    prompt: Prompt
    max_new_tokens: int | None = Field(
        default=None, ge=1, le=32_768, description="Longest answer; not given: read from the kind of prompt."
    )
    temperature: float = Field(default=0.0, ge=0, le=5, allow_inf_nan=False, description="0: greedy.")
    top_p: float = Field(default=1.0, gt=0, le=1, allow_inf_nan=False)
    seed: int = Field(default=0, ge=0, lt=2**63)
    stop: list[Annotated[Text, Field(min_length=1)]] | None = Field(
        default=None,
        max_length=16,
        description="Texts that end the answer; not given: read from the prompt; []: none.",
    )
    as_text: bool = Field(default=False, description=AS_TEXT)


class SalienceQuestion(RequestInputs):
    prompt: Prompt
    target: Annotated[Text, Field(description="The response to explain.")]
    method: str = Field(default="grad_l2", description="A name from /info.")
    as_text: bool = Field(default=False, description=AS_TEXT)


class ModelFacts(BaseModel):
    name: str
    revision: str
    precision: str
    device: str


class MatrixAnswer(BaseModel):
    """The full matrix: rows are what is explained, columns are what explains."""

    model: ModelFacts
    method: str
    units: str
    signed: bool
    sign: str = Field(description="What a positive score means.")
    tokens: list[str] = Field(description="(T,) the text of each token, unmarked.")
    special: list[bool] = Field(description="(T,)")
    template: list[bool] = Field(description="(T,) put in by the chat template, not by the caller.")
    prompt_tokens: int
    targets: list[tuple[int, int]] = Field(description="(N,) half-open token spans, one a row.")
    values: list[Scores] = Field(description="(N, T)")
    unmeasured: list[int] = Field(description="Tokens whose 0 says nothing: they could not be measured.")
    turns_not_read: list[str] = Field(
        description="A sentence for each turn that the chat template left out, rewrote or moved; usually empty."
    )
    note: str = Field(description="Why rows are coarser than a token; empty when they are not.")


class Health(BaseModel):
    status: Literal["ok"]


class Ready(BaseModel):
    status: Literal["ready", "loading", "failed", "stopping"]
    message: str = ""


class Info(BaseModel):
    version: str
    model: ModelFacts
    backend: str
    loaded: bool
    parameters: int | None = Field(description="None until the model is loaded.")
    bytes: int | None
    notes: list[str] = Field(description="What was harmless but odd about the model's files.")
    context_tokens: int | None
    methods: list[str]
    settings: dict[str, str] = Field(
        description="PRECISION, BATCH_SIZE, SEQUENCE_LENGTH: in words, set or default."
    )
    limits: dict[str, Any]
