#!/usr/bin/env bash
# Writes the lock files requirements/<environment>.txt anew from their .in files.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../requirements"
lock() {
    {
        echo "# Made by \`make lock\` from $1.in; do not edit."
        ../build/venv/bootstrap/bin/uv pip compile --quiet --upgrade --no-header --no-annotate --no-emit-index-url \
            --no-emit-find-links --python-version "$2" "$1.in"
    } >"$1.txt.new"
    mv "$1.txt.new" "$1.txt"
}
lock demo 3.11
lock dev 3.11
lock core-2.21 3.12
lock core-2.17 3.11
lock release 3.11
