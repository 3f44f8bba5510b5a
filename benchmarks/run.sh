#!/bin/sh
# Salience against its peers: one process a line, ratios within this run. Peers live in .venv-bench.
set -eu
cd "$(dirname "$0")/.."
export OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 TOKENIZERS_PARALLELISM=false PYTHONWARNINGS=ignore
export TRANSFORMERS_VERBOSITY=error
if ! .venv-bench/bin/python -c 'import inseq, captum' 2>/dev/null; then
    test -x .venv-bench/bin/python || .venv/bin/python -m venv .venv-bench
    sh tools/install.sh .venv-bench/bin/python benchmarks/requirements.txt
fi
lines=$(mktemp)
trap 'rm -f "$lines"' EXIT
for line in whence_matrix whence_span gram_selection training_step; do
    .venv/bin/python -m benchmarks.salience_line $line | tee -a "$lines"
done
for line in inseq_saliency captum_gradient_x_activation captum_last_logits_only; do
    .venv-bench/bin/python -m benchmarks.salience_line $line | tee -a "$lines"
done
.venv/bin/python -m benchmarks.salience_table < "$lines"
.venv/bin/python -m benchmarks.text_metrics
