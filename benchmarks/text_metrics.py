"""Seconds for every text metric, with intervals, on 10,000 rows: `python -m benchmarks.text_metrics [rows]`.

Made-up English answers of 20 to 90 words in one to four lines. One process, one thread. The last lines give
the share of the bootstrap and of the slowest peer (rouge-score's own ROUGE on a tenth of the rows, scaled
up).
"""

from __future__ import annotations

import random
import sys
import time

from rouge_score import rouge_scorer

from core.metrics import METRICS, MetricRow, aggregate, measure

VOCABULARY = 3000


def made_up_rows(count: int, seed: int = 0) -> list[MetricRow]:
    rng = random.Random(seed)
    words = ["".join(rng.choices("abcdefghijklmnop", k=rng.randint(2, 9))) for _ in range(VOCABULARY)]
    rows = []
    for i in range(count):
        target = rng.choices(words, k=rng.randint(20, 90))
        answer = [word if rng.random() < 0.6 else rng.choice(words) for word in target]
        for text in (target, answer):
            for cut in range(rng.randint(0, 3)):
                text[(cut * 7 + 5) % len(text)] += ".\n"
        rows.append(MetricRow(str(i), " ".join(answer), " ".join(target)))
    return rows


def main() -> None:
    rows = made_up_rows(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
    total = 0.0
    for metric in METRICS:
        if metric.needs != "text":
            continue
        start = time.process_time()
        measured = measure(rows, metric)
        middle = time.process_time()
        whole = aggregate(measured)
        end = time.process_time()
        total += end - start
        print(
            f"{metric.label:26s} {middle - start:7.2f} s rows {end - middle:6.2f} s interval   "
            f"{metric.show(whole.value)} [{metric.show(whole.low)}, {metric.show(whole.high)}]"
        )
    start = time.process_time()
    scorer = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL", "rougeLsum"])
    for row in rows[::10]:
        scorer.score(row.target, row.response)
    peer = 10 * (time.process_time() - start)
    print(f"all text metrics: {total:.1f} CPU s for {len(rows):,} rows; rouge-score alone: {peer:.1f} CPU s")


if __name__ == "__main__":
    main()
