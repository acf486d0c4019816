#!/bin/sh
# Shows localep at work: builds the base image, creates the scikit-learn sample's endpoint,
# asks it for predictions, prints its log, and deletes it.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

sample=samples/sklearn-regression
LOCALEP_NAMESPACE=demo
export LOCALEP_NAMESPACE

show() {
    printf '\n$ %s\n' "$*"
    "$@"
}

clean_up() {
    localep delete --name sklearn-regression --yes >/dev/null 2>&1 || :
}

install_localep ""
install_packages debootstrap
ensure_engine

clean_up
trap clean_up EXIT
trap 'exit 130' INT TERM
show localep base build
show localep create -f "$sample/endpoint.yml" -f "$sample/deployment.yml"
show localep show
show localep invoke --request-file "$sample/sample-request.json"
echo
show localep get-logs --lines 15
show localep delete --yes
trap - EXIT
