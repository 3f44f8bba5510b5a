"""Reads the benchmark's JSON lines and prints them with the ratios that issue goals are stated in."""

from __future__ import annotations

import json
import sys


def main(lines: list[str]) -> None:
    found = {line["name"]: line for line in map(json.loads, lines)}
    out = [f"{'line':<34}{'CPU seconds':>12}{'extra peak MB':>15}"]
    out += [f"{n:<34}{v['cpu_seconds']:>12.4f}{v['extra_peak_mb']:>15.0f}" for n, v in found.items()]

    def seconds(name: str) -> float:
        return found[name]["cpu_seconds"]

    matrix = seconds("whence matrix")
    out += [
        "",
        f"inseq / whence      {seconds('inseq saliency') / matrix:6.2f}   goal >= 2.0",
        f"captum / whence     {seconds('captum gradient x activation') / matrix:6.2f}   goal >= 2.0",
        f"  last logits only  {seconds('captum, last logits only') / matrix:6.2f}   (captum tuned by hand)",
        f"extra peak MB       {found['whence matrix']['extra_peak_mb']:6.0f}   goal <= 400",
        f"span / training     {seconds('whence span') / seconds('forward + backward, trainable'):6.2f}"
        "   goal <= 0.8",
        f"Gram selection, ms  {1000 * seconds('gram selection, all rows'):6.2f}   goal <= 1",
    ]
    sys.stdout.write("\n".join(out) + "\n")


if __name__ == "__main__":
    main([line for line in sys.stdin if line.startswith("{")])
