#!/bin/sh
# Shows localep at work: builds the base image, creates the scikit-learn sample's endpoint,
# asks it for predictions, prints its log, and deletes it. Where no Docker engine can be had, the
# same sample is served without one.
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

# The sample without Docker: served, asked, stopped.
serve_instead() {
    say "No Docker engine is to be had: the same sample runs without Docker, by localep serve"
    scratch=$(mktemp -d)
    printf '\n$ localep serve -f %s/deployment.yml --isolated\n' "$sample"
    localep serve -f "$sample/deployment.yml" --isolated --port 0 \
        >"$scratch/log" 2>"$scratch/told" &
    server=$!
    trap 'kill "$server" 2>/dev/null || :; rm -rf "$scratch"' EXIT
    trap 'exit 130' INT TERM
    until grep -q '^Ready' "$scratch/told"; do
        if ! kill -0 "$server" 2>/dev/null; then
            cat "$scratch/told" >&2
            return 1
        fi
        sleep 0.2
    done
    cat "$scratch/told"
    uri=$(sed -n 's/^Ready after .* s: \([^,]*\),.*/\1/p' "$scratch/told")
    printf '\n$ curl -H "Content-Type: application/json" -d @%s %s\n' \
        "$sample/sample-request.json" "$uri"
    python - "$uri" "$sample/sample-request.json" <<'EOF'
import pathlib, sys, urllib.request
uri, body = sys.argv[1], pathlib.Path(sys.argv[2]).read_bytes()
request = urllib.request.Request(uri, body, {"Content-Type": "application/json"})
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
print(opener.open(request, timeout=30).read().decode())
EOF
    printf '\nThe end of its log:\n'
    kill "$server"
    wait "$server"
    tail -n 15 "$scratch/log"
}

install_localep ""
install_packages debootstrap
if ! ensure_engine; then
    serve_instead
    exit
fi

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
