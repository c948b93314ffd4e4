#!/bin/sh
# Run a pip command; where it fails, say in one line what could not be fetched.
# Usage: install.sh LOG COMMAND ...
log=$1
shift
"$@" 2> "$log" && exit 0
for what in "$@"; do :; done
why=$(grep '^ERROR' "$log" | head -n 1)
echo "cannot install $what (${why:-pip says nothing}). Is there a network, or a package index that PIP_INDEX_URL names? All that pip said: $log" >&2
exit 1
