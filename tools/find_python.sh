#!/bin/sh
# Print a Python that can make the environment: 3.11 or newer, with venv and ensurepip.
# PYTHON names the one to use; otherwise the usual names are tried.
report=""
for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python}; do
    path=$(command -v "$candidate") || { report="$report\n  $candidate: not found"; continue; }
    version=$("$path" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) ||
        { report="$report\n  $path: does not run"; continue; }
    "$path" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        { report="$report\n  $path: is Python $version"; continue; }
    "$path" -c 'import ensurepip, venv' 2>/dev/null ||
        { report="$report\n  $path: Python $version without venv (on Debian: apt-get install python3-venv)"; continue; }
    echo "$path"
    exit 0
done
printf 'Python 3.11 or newer, with venv, is needed; PYTHON=/path/to/python names one. Looked at:%b\n' "$report" >&2
exit 1
