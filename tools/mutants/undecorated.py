"""A module with its decorators written as assignments, so that mutmut, which leaves decorated functions out, sees all.

`@lru_cache(maxsize=1)` over `def f` becomes `f = lru_cache(maxsize=1)(f)` under it. Knows nothing of mutants.
"""

from __future__ import annotations

import ast

Function = ast.FunctionDef | ast.AsyncFunctionDef


def undecorated(source: str) -> str:
    """`source` with the decorators of functions and methods as assignments; what it does is the same."""
    lines = source.splitlines()
    tree = ast.parse(source)
    bodies = [tree.body, *(node.body for node in tree.body if isinstance(node, ast.ClassDef))]
    functions = [one for body in bodies for one in body if isinstance(one, Function) and one.decorator_list]
    for function in sorted(functions, key=lambda one: one.lineno, reverse=True):
        indent = " " * function.col_offset
        value = function.name
        for decorator in reversed(function.decorator_list):
            value = f"{ast.unparse(decorator)}({value})"
        assert function.end_lineno is not None
        lines.insert(function.end_lineno, f"{indent}{function.name} = {value}")
        del lines[function.decorator_list[0].lineno - 1 : function.lineno - 1]
    return "\n".join(lines) + "\n"
