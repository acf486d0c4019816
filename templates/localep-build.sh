#!/bin/sh
# Runs a step of an image build with the settings of the machine that builds: package indexes,
# proxies and a CA bundle, where it has any.
set -eu
if [ -f /run/secrets/localep-settings ]; then
    . /run/secrets/localep-settings
fi
export UV_INDEX_STRATEGY=unsafe-best-match UV_LINK_MODE=copy UV_NO_PROGRESS=1
exec "$@"
