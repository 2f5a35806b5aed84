#!/bin/sh
# The laws of the search and of merges on generated texts, other ones each round, for so many seconds (default: 300). What fails
# prints its seed.
set -eu
cd "$(dirname "$0")/.."
end=$(($(date +%s) + ${1:-300}))
rounds=0
while [ "$(date +%s)" -lt "$end" ]; do
    FOLD_LAWS_SEED="$(date +%s)"
    export FOLD_LAWS_SEED
    echo "FOLD_LAWS_SEED=$FOLD_LAWS_SEED"
    cargo test --release --quiet -p fold-core --test laws --test merge
    rounds=$((rounds + 1))
done
echo "$rounds rounds passed"
