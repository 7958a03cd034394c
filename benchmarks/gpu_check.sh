#!/bin/sh
# Everything worth doing with 12 minutes of an NVIDIA GPU, in the order of worth, each with its own time limit:
#     sh benchmarks/gpu_check.sh RESULTS
# What fails does not keep the rest from running. The folder RESULTS gets the output of each, and what the documents are
# made of: gpu.md and gpu_torch.md go into benchmarks/results (then `python -m benchmarks.pages`), cupy.json into
# tests/portability/results (then `python -m tests.portability.run --write numpy`).
out=${1:?folder for the results}
mkdir -p "$out"
rm -f "$out/summary.txt"
export XLA_PYTHON_CLIENT_PREALLOCATE=false PYTHONPATH=.
workers=$(python -c 'import xdist; print("-n 8")' 2>/dev/null)

run() { # name, seconds, command
    name=$1 seconds=$2
    shift 2
    echo "== $name: $*"
    timeout "$seconds" "$@" >"$out/$name.txt" 2>&1
    echo "$name: status $?" | tee -a "$out/summary.txt"
    tail -n 3 "$out/$name.txt"
}

run recorded 90 env PORTANET_TEST_BACKENDS=cupy,torch-cuda python -m pytest -q \
    tests/training/test_recorded_steps.py tests/training/test_recorded_fit.py
run step 240 python -m benchmarks.gpu --markdown "$out/gpu.md"
run portability 150 python -m tests.portability.run --write cupy
cp tests/portability/results/cupy.json "$out"
run tests 150 env PORTANET_TEST_BACKENDS=cupy python -m pytest -q $workers tests/training tests/backends tests/optimizers tests/layers
run torch 90 python -m benchmarks.gpu --backend torch --device cuda --seconds 80 --markdown "$out/gpu_torch.md"
cat "$out/summary.txt"
