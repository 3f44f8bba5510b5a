"""A model fetched from the Hugging Face hub into the hub's own cache, with progress and plain-worded errors.

Only configuration, tokenizer and safetensors from the top of the repository are fetched. What is in the cache
already is used when the hub cannot be reached. Knows names and files, not models.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx2
from huggingface_hub import HfApi, snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from core.errors import AppError
from core.models.loading import Bar, Steps
from core.models.local import hub_cache
from core.models.local.folder_checks import check_names
from core.settings import settings

ENDPOINT: str | None = None
"""None: the hub, or where the environment's HF_ENDPOINT points."""
WANTED = ["*.json", "*.safetensors", "*.txt", "*.model", "*.jinja"]
UNREACHABLE = (httpx2.ConnectError, httpx2.TimeoutException, OfflineModeIsEnabled)


def fetch(name: str, revision: str, steps: Steps) -> Path:
    """The local folder of the hub's model `name` at `revision`; its last part is the commit.

    Raises: AppError when it is gated, unknown, holds only pickled weights or cannot be reached; Stopped.
    """
    token = settings().hf_token.get_secret_value() or None
    steps(0.0, "Asking the hub")
    cached = False
    total = 0
    try:
        info = HfApi(endpoint=ENDPOINT, token=token).model_info(
            name, revision=revision, files_metadata=True, timeout=20
        )
        files = info.siblings or []
        check_names([file.rfilename for file in files], f"The model {name}")
        # A gated model lists its files to everyone, and refuses them only when they are asked for.
        total = sum(file.size or 0 for file in files if file.rfilename.endswith(".safetensors"))
        hub_cache.check(name, total, settings().max_hub_bytes)
    except UNREACHABLE:
        cached = True
    except (HfHubHTTPError, HFValidationError) as error:
        raise refused(name, revision, error) from error

    class Fetched(Bar):
        """The bar that counts bytes moves the share; its updates are where Cancel takes hold."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            counts = kwargs.get("unit") == "B" and str(kwargs.get("desc", "")).startswith("Reconstruct")
            super().__init__(steps, 0.0, 0.5, "Fetching" if counts else "", *args, **kwargs)
            self.whole = total if counts else 0

    try:
        found = snapshot_download(
            name,
            revision=revision,
            token=token,
            endpoint=ENDPOINT,
            allow_patterns=WANTED,
            ignore_patterns=["*/*"],
            tqdm_class=Fetched,
            local_files_only=cached,
        )
    except LocalEntryNotFoundError as error:
        raise AppError(
            f"The hub cannot be reached, and {name} is not on this machine yet.",
            hint="Check the network, or give a folder that holds the model.",
            code="unreachable",
        ) from error
    except (HfHubHTTPError, HFValidationError) as error:
        raise refused(name, revision, error) from error
    return Path(found)


def refused(name: str, revision: str, error: Exception) -> AppError:
    """The sentence for what the hub answered."""
    if isinstance(error, GatedRepoError):
        return AppError(
            f"{name} is gated: its owner asks you to accept a licence first.",
            hint=f"Accept it at https://huggingface.co/{name}, make a token at "
            "https://huggingface.co/settings/tokens, start Whence with HF_TOKEN set to it, and load again.",
            code="gated",
        )
    if isinstance(error, RevisionNotFoundError):
        return AppError(f"{name} on the hub has no revision {revision!r}.", code="not_found")
    if isinstance(error, (RepositoryNotFoundError, HFValidationError)):
        return AppError(
            f"The hub has no model called {name}, or it is private.",
            hint="Check the spelling (owner/name). For a private model set HF_TOKEN.",
            code="not_found",
        )
    status = error.response.status_code if isinstance(error, HfHubHTTPError) else 0
    return AppError(
        f"The hub answered with the status {status} when asked for {name}.",
        hint="Try again later, or give a folder that holds the model.",
        code="unreachable",
    )
