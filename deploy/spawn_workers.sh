#!/bin/sh
# Calls `fold-worker spawn` with the same arguments: see `fold-worker spawn --help`.
set -eu
exec npx fold-worker spawn "$@"
