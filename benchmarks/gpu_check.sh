#!/bin/sh
# Everything worth doing with 12 minutes of an NVIDIA GPU, in the order of worth, each with its own time limit:
#     sh benchmarks/gpu_check.sh RESULTS
# A file of the folder RESULTS for each, `gpu.md` for benchmarks/results; what fails does not keep the rest from running.
out=${1:?folder for the results}
mkdir -p "$out"
export XLA_PYTHON_CLIENT_PREALLOCATE=false PYTHONPATH=.

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
run step 235 python -m benchmarks.gpu --markdown "$out/gpu.md"
run portability 150 python -m tests.portability.run cupy
run tests 150 env PORTANET_TEST_BACKENDS=cupy python -m pytest -q -n 8 tests/training tests/backends tests/optimizers tests/layers
run torch 90 python -m benchmarks.gpu --backend torch --device cuda
cat "$out/summary.txt"
