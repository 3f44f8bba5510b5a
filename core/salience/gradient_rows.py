"""Rows of a map one by one, in any order, each from one backward pass that serves every method that reads it.

A method takes part by its `score(gradient, embeddings)`: scores (T',) from the gradient (T', D) and the
embeddings (T', D) of a row, both float32. Those that differ in nothing but this function share
the pass: grad L2 and gradient · input of the same rows cost no more than one of them. The forward pass is made
once, for every token of the response, and kept while its rows are being asked for (`kept_tapes.py`).

Between two calls of `compute` the model may do anything else, even go and come back. What fits the memory is
`memory.py`; the numbers are those of `gradients.py`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from core.models.language_model import GradientModel
from core.records import SalienceMatrix, SalienceRequest
from core.salience.declaration import Method
from core.salience.gradients import backward, gradients
from core.salience.inner_products import inner_products
from core.salience.kept_tapes import kept, kept_tape
from core.salience.memory import Plan, forward_bytes, out_of_memory, within_memory
from core.salience.scores import finite

ROWS_A_STEP = 8
"""Rows of one call where a single one would waste a pass: batched on a GPU, or a forward pass for each call."""


class GradientRows:
    """The rows of `request` (its method is one of `members`), and which of them are there."""

    def __init__(self, request: SalienceRequest, members: Sequence[Method], max_kept_bytes: int) -> None:
        self.request, self.members = request, tuple(members)
        self.there: list[int] = []
        self._how = self.members[0].backward(request)
        shape = (len(request.targets), len(request.ids))
        self.scores = {member.name: np.zeros(shape, np.float32) for member in members}
        self._max_kept_bytes = max_kept_bytes
        self._gradients: torch.Tensor | None = None
        self._plan = Plan()
        self._response = np.arange(max(request.prompt_len, 1), len(request.ids))

    @property
    def _whole(self) -> bool:
        """Whether a pass over the whole response serves every row."""
        inside = (
            all(start >= self._response[0] for start, _ in self.request.targets)
            if len(self._response)
            else False
        )
        return inside and not self._plan.rows_a_pass

    def rows_a_step(self, model: Any) -> int:
        """How many rows to ask for at once, when nobody waits for a single one."""
        return 1 if self._whole and model.spec.device == "cpu" else ROWS_A_STEP

    def compute(self, model: GradientModel, rows: Sequence[int], stop: threading.Event | None = None) -> None:
        """Compute `rows` (indices of targets) that are not there yet. Raises: AppError, Stopped."""

        def work(plan: Plan) -> None:
            self._plan = plan
            if not self._whole:
                kept(model).trim(0)
            left = [row for row in rows if row not in self.there]
            for row, gradient, embeddings in self._passes(model, left, stop):
                self._take(row, gradient, embeddings)

        if self.there:
            try:
                work(self._plan)
                return
            except (MemoryError, RuntimeError) as error:
                if not out_of_memory(error):
                    raise
                kept(model).trim(0)
        within_memory(model, self.request, work)

    def done(self, model: GradientModel) -> None:
        """No more rows are asked for now: passes too large to be kept for a click are let go."""
        kept(model).trim(self._max_kept_bytes)

    def matrices(self) -> dict[str, SalienceMatrix]:
        """By method, when all rows are there."""
        products = None
        if self._gradients is not None:
            products = inner_products(self._gradients, len(self.request.ids))
        return {
            member.name: SalienceMatrix(
                self.asked(member.name),
                self.scores[member.name],
                products if member.combines == "gram" else None,
                signed=member.signed,
                units=member.units,
                note=self._plan.note,
                combines=member.combines,
            )
            for member in self.members
        }

    def asked(self, method: str) -> SalienceRequest:
        """The same question to another of the methods."""
        return replace(self.request, method=method)

    def _passes(
        self, model: GradientModel, rows: Sequence[int], stop: threading.Event | None
    ) -> Iterator[tuple[int, torch.Tensor, torch.Tensor]]:
        targets = [self.request.targets[row] for row in rows]
        if not self._whole:
            part = replace(self.request, targets=tuple(targets))
            for row, gradient, embeddings in gradients(
                model, part, stop=stop, how=self._how, plan=self._plan
            ):
                yield rows[row], gradient, embeddings
            return
        positions = self._response
        ids = np.array(self.request.ids, np.int64)
        size = forward_bytes(model, self.request)
        with kept_tape(model, ids, positions, size, self._max_kept_bytes, backward=self._how) as tape:
            chosen = torch.as_tensor(np.array([(positions >= a) & (positions < b) for a, b in targets]))
            batch = self._plan.batch if tape.embeddings.is_cuda else 1
            embeddings = tape.embeddings[0].detach()
            for row, gradient in zip(rows, backward(tape, chosen, batch, stop, keep=True)):
                yield row, gradient, embeddings

    def _take(self, row: int, gradient: torch.Tensor, embeddings: torch.Tensor) -> None:
        reach = self.request.targets[row][1] - 1
        wide = gradient[:reach].float()
        for member in self.members:
            assert member.score is not None, "only methods that score a gradient take part"
            self.scores[member.name][row, :reach] = finite(
                member.score(wide, embeddings[:reach].float()).cpu().numpy()
            )
        if any(member.combines == "gram" for member in self.members):
            if self._gradients is None:
                last = max(end for _, end in self.request.targets) - 1
                shape = (last, len(self.request.targets), gradient.shape[1])
                place = "cpu" if self._plan.gather_on_host else gradient.device
                self._gradients = torch.zeros(shape, dtype=gradient.dtype, device=place)
            self._gradients[:reach, row] = gradient[:reach].to(self._gradients.device)
        self.there.append(row)
