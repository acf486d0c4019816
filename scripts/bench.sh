#!/bin/sh
# Times localep on this machine and prints a table of medians, floors and bounds; ends with 1
# where a bound is broken. Arguments: --only NAME, --runs N, --json FILE (see --help).
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

install_localep ""
install_packages debootstrap
ensure_engine
exec python -m benchmarks "$@"
