#!/bin/sh
# Runs the whole suite: style, types, and the tests, those against a real Docker engine included.
# Arguments go to pytest, which then runs alone: scripts/test.sh tests/unit -k conda
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

install_localep dev
if [ $# -eq 0 ]; then
    say "Style and types"
    ruff check .
    ruff format --check .
    mypy
fi

install_packages debootstrap docker-registry
if ensure_engine; then
    say "Tests"
    exec pytest "$@"
fi
say "Tests that need no engine"
pytest -m "not engine" "$@"
echo "FAILED: no Docker engine is to be had, so the tests against a real engine were not run." >&2
exit 1
