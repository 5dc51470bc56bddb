#!/bin/sh
# Renew the locked requirements from the .in files: hashes, no addresses, one lock for
# Python 3.12 to 3.14 and every system.
set -eu
cd "$(dirname "$0")/.."
uv=uv
command -v uv >/dev/null || uv=.tools/bin/uv
for name in tools run dev; do
    "$uv" pip compile -q --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
        --no-header --python-version 3.12 "requirements/$name.in" -o "requirements/$name.txt"
done
