#!/bin/sh
# Installs zig and cargo-zigbuild, with which scripts/prebuild.mjs links builds for Linux, into a directory of their own, and
# prints where their programs are:  PATH="$PATH:$(scripts/install-zig.sh /tmp/zig)"
set -eu
python3 -m venv "$1" >&2
"$1/bin/pip" install --quiet ziglang==0.17.1 cargo-zigbuild==0.24.0 >&2
echo "$1/bin"
