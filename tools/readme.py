"""What README.md has from the sources: every file of core/ with half a line, and every setting.

python -m tools.readme          # writes both between their marks in README.md
"""

from __future__ import annotations

import ast
import re
from itertools import pairwise
from pathlib import Path

from pydantic import AliasChoices, SecretStr
from pydantic_settings import BaseSettings

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
TREE, SETTINGS = "tree of core/", "every setting"
MOST = 96


def half_line(source: str) -> str:
    """The first clause of a module's docstring, without its full stop; "" where there is none."""
    text = " ".join((ast.get_docstring(ast.parse(source)) or "").split("\n\n")[0].split())
    first = re.split(r"(?<=[\w)`’'”])[.;](?:\s|$)", text, maxsplit=1)[0].strip()
    while len(first) > MOST and (cut := max(first.rfind(", "), first.rfind(": "))) > 0:
        first = first[:cut]
    return first


def tree(root: Path = ROOT) -> str:
    """The files of core/ as Markdown's indented code, folder by folder."""
    lines: list[str] = []
    for folder in sorted({path.parent for path in (root / "core").rglob("*.py")}):
        if "migrations" in folder.parts:
            continue
        opening = folder / "__init__.py"
        about = half_line(opening.read_text(encoding="utf-8")) if opening.exists() else ""
        lines.append(f"    {folder.relative_to(root)}/".ljust(36) + f"  {about}".rstrip())
        for path in sorted(folder.glob("*.py")):
            if path.name != "__init__.py":
                words = half_line(path.read_text(encoding="utf-8"))
                lines.append(f"      {path.stem}".ljust(36) + f"  {words}".rstrip())
    return "\n".join(lines)


def names(kind: type[BaseSettings], field: str) -> list[str]:
    """The environment variables that set `field`."""
    alias = kind.model_fields[field].validation_alias
    if isinstance(alias, AliasChoices):
        return [str(one) for one in alias.choices]
    return [kind.model_config.get("env_prefix", "") + field.upper()]


def settings_table(*kinds: type[BaseSettings]) -> str:
    """Every setting of `kinds` as a Markdown table: its names, what it is (its docstring), its default."""
    rows = ["| name | what | default |", "|---|---|---|"]
    for kind in kinds:
        about = docstrings(kind)
        for field, info in kind.model_fields.items():
            value = "" if info.default_factory is not None else info.default
            default = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            called = ", ".join(f"`{name}`" for name in names(kind, field))
            rows.append(f"| {called} | {about.get(field, '')} | {f'`{default}`' if default else ''} |")
    return "\n".join(rows)


def docstrings(kind: type[BaseSettings]) -> dict[str, str]:
    """The string under each field of a class, on one line."""
    module = __import__(kind.__module__, fromlist=["x"])
    source = Path(str(module.__file__)).read_text(encoding="utf-8")
    body = next(
        n.body for n in ast.parse(source).body if isinstance(n, ast.ClassDef) and n.name == kind.__name__
    )
    found = {}
    for field, text in pairwise(body):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(text, ast.Expr)
        ):
            found[field.target.id] = " ".join(str(ast.literal_eval(text.value)).split()).replace("|", "\\|")
    return found


def written(readme: str) -> str:
    """`readme` with what is made from the sources between its marks."""
    from core.server.config import ServerSettings
    from core.settings import Settings

    for mark, made in ((TREE, tree()), (SETTINGS, settings_table(Settings, ServerSettings))):
        begin, end = f"<!-- {mark}, made by `make readme` -->", f"<!-- end of {mark} -->"
        before, _, rest = readme.partition(begin)
        _, _, after = rest.partition(end)
        readme = f"{before}{begin}\n\n{made}\n\n{end}{after}"
    return readme


if __name__ == "__main__":
    README.write_text(written(README.read_text(encoding="utf-8")), encoding="utf-8")
