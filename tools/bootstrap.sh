#!/bin/sh
# Make .venv with everything that `run` or `dev` needs; does nothing when it is already there.
#
#   tools/bootstrap.sh [run|dev]
#
# PYTHON=/path/to/python chooses the interpreter; otherwise one is looked for, also where a
# version manager hides it, and fetched with uv when there is none.
set -eu
profile=${1:-run}
case $profile in run | dev) ;; *) echo "usage: tools/bootstrap.sh [run|dev]" >&2; exit 2 ;; esac
cd "$(dirname "$0")/.."
# Some machines set it for everybody; then each start would compile every module again.
unset PYTHONDONTWRITEBYTECODE PYTHONHOME PYTHONPATH VIRTUAL_ENV || true
# Trust what the machine trusts: many networks sign their own certificates (old and new name).
export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-1}" UV_NATIVE_TLS="${UV_NATIVE_TLS:-1}"

say() { printf '%s\n' "$*" >&2; }

# Django needs Python 3.12 and SQLite 3.37; wheels of our locked packages end at 3.14.
# Each candidate is executed: a version manager's shim can exist and still lead nowhere.
fits() {
    "$1" -c 'import sys, ssl, sqlite3
sys.exit(not ((3, 12) <= sys.version_info[:2] <= (3, 14)
              and sqlite3.sqlite_version_info >= (3, 37)))' >/dev/null 2>&1
}

homes() {
    printf '%s\n' "${HOME:-}"
    # HOME may have been set to something else; the account knows better.
    getent passwd "$(id -u)" 2>/dev/null | cut -d: -f6
}

# Print every place where a Python could be, the preferred version first.
candidates() {
    [ -z "${PYTHON:-}" ] || { printf '%s\n' "$PYTHON"; return; }
    for version in 3.13 3.12 3.14; do
        command -v "python$version" || true
        printf '%s\n' "/usr/local/bin/python$version" "/opt/homebrew/bin/python$version"
        {
            printf '%s\n' "${PYENV_ROOT:-}" "${ASDF_DATA_DIR:-}" "${MISE_DATA_DIR:-}"
            # A shim on the PATH tells where its manager lives.
            printf '%s' "$PATH" | tr ':' '\n' | sed -n 's|/shims/*$||p'
            homes | while read -r home; do
                printf '%s\n' "$home/.pyenv" "$home/.asdf" "$home/.local/share/mise" \
                    "$home/.local/share/uv"
            done
        } | while read -r root; do
            [ -n "$root" ] || continue
            for folder in versions installs/python python; do
                ls -d "$root/$folder/"*"$version"*/bin/python3 2>/dev/null | sort -r || true
            done
        done
    done
    command -v python3 || true
    command -v python || true
}

find_python() {
    candidates | while read -r candidate; do
        if fits "$candidate"; then
            printf '%s\n' "$candidate"
            break
        fi
    done
}

any_python() {
    for name in "$@" python3 python; do
        if "$name" -c 'import sys, venv; sys.exit(sys.version_info < (3, 9))' >/dev/null 2>&1; then
            printf '%s\n' "$name"
            return
        fi
    done
}

# Print an uv that works: from the PATH, else from .tools, which is made with any Python at hand.
find_uv() {
    if uv --version >/dev/null 2>&1; then
        echo uv
        return
    fi
    if ! .tools/bin/uv --version >/dev/null 2>&1; then
        maker=$(any_python "$@")
        [ -n "$maker" ] || return 0
        say "Fetching uv, which installs the rest ..."
        rm -rf .tools
        "$maker" -m venv .tools >&2 2>/dev/null || return 0
        .tools/bin/python -m pip install -q --disable-pip-version-check --require-hashes \
            -r requirements/tools.txt >&2 || return 0
    fi
    echo .tools/bin/uv
}

stamp=.venv/.installed-$profile
lock=requirements/$profile.txt
if [ -x .venv/bin/python ] && fits .venv/bin/python; then
    # What `dev` installs includes what `run` needs.
    for mark in "$profile" dev; do
        if [ "$(cat ".venv/.installed-$mark" 2>/dev/null)" = "$(cksum <"requirements/$mark.txt")" ]
        then
            [ ! -f tools/messages.py ] || .venv/bin/python tools/messages.py compile
            exit 0
        fi
    done
else
    python=$(find_python)
    uv=$(find_uv $python)
    if [ -z "$python" ] && [ -z "${PYTHON:-}" ] && [ -n "$uv" ]; then
        say "No Python 3.12 or newer found here; asking uv to fetch 3.13 ..."
        python=$("$uv" python install -q 3.13 >&2 && "$uv" python find --managed-python 3.13) || true
    fi
    if [ -z "$python" ]; then
        say "No Python between 3.12 and 3.14 was found${PYTHON:+ at $PYTHON} and none could be fetched."
        say "Install one, or say: PYTHON=/path/to/python make ..."
        exit 1
    fi
    say "Making .venv with $("$python" --version 2>&1) ($python) ..."
    rm -rf .venv
    if [ -n "$uv" ]; then
        "$uv" venv -q --python "$python" .venv
    elif ! "$python" -m venv .venv; then
        say "This Python cannot make environments; on Debian install python3-venv."
        exit 1
    fi
fi

say "Installing $lock ..."
uv=${uv-$(find_uv .venv/bin/python)}
if [ -z "$uv" ] || ! "$uv" pip install -q --python .venv/bin/python --require-hashes -r "$lock"; then
    say "uv could not do it; trying pip, which takes a few minutes ..."
    .venv/bin/python -m pip --version >/dev/null 2>&1 || .venv/bin/python -m ensurepip >/dev/null
    .venv/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r "$lock"
fi
cksum <"$lock" >"$stamp"
[ ! -f tools/messages.py ] || .venv/bin/python tools/messages.py compile
