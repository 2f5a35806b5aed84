#!/bin/sh
# Tests that take minutes: 78 million orthos in several budgets, and ten times as many generated texts, other ones each
# time. Run from anywhere; FOLD_SHARED names the directory of the shared texts if it is not beside the repository.
set -eu
cd "$(dirname "$0")/.."
seed="${FOLD_LAWS_SEED:-$(date +%s)}"
echo "seed of the generated texts: $seed (FOLD_LAWS_SEED=$seed runs the same again)"
cargo test --release -p fold-core --test laws --test bad_input -- --ignored --nocapture
FOLD_LAWS_SEED="$seed" FOLD_LAWS_CASES="${FOLD_LAWS_CASES:-12000}" \
    cargo test --release -p fold-core --test laws what_is_found -- --nocapture
