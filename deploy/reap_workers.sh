#!/bin/sh
# Calls `fold-worker reap` with the same arguments: see `fold-worker reap --help`.
set -eu
exec npx fold-worker reap "$@"
