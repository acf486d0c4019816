#!/bin/sh
# Writes the pages of docs/ that are made of localep's own data; with --check it writes nothing
# and ends with 1 where one is not up to date.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

install_localep ""
python -m localep.rules.pages "$@" docs/cloud-failures.md
PYTHONPATH=tests exec python -m support.contract "$@" docs/cloud-parity.md
