"""hatchling's hooks: the package is copied and renamed before it is packed, its dependencies come from the lists."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

sys.path.insert(0, str(Path(__file__).parents[2]))
from tools.wheel import package, requirements


class Build(BuildHookInterface):
    """Puts `core/` into the wheel as `whence/`."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            raise RuntimeError(
                "An editable install is not offered: work in the project itself, where the package is called core."
            )
        self._folder = tempfile.TemporaryDirectory()
        made = package.build(Path(self.root), Path(self._folder.name))
        build_data["force_include"][str(made)] = package.NAME

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        self._folder.cleanup()


class Metadata(MetadataHookInterface):
    """`dependencies` and `optional-dependencies`."""

    PLUGIN_NAME = "custom"

    def update(self, metadata: dict[str, Any]) -> None:
        metadata["dependencies"], metadata["optional-dependencies"] = requirements.declared(Path(self.root))


def get_build_hook() -> type[Build]:
    return Build


def get_metadata_hook() -> type[Metadata]:
    return Metadata
