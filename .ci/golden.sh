#!/usr/bin/env bash
# Runs the tests that know -update, so that they write their expected outputs again. Look at the difference
# before you commit it. Goldens that other programs made (testdata/golden, models/tiny, the tokenizer's) are
# facts, and nothing here touches them.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=$(git grep --untracked -lE 'flag\.Bool\("update"|transcript\.Run\(' -- '*_test.go' | xargs -rn1 dirname | sort -u)
[[ -n $packages ]] || { echo "no test has an -update flag" >&2; exit 1; }
for package in $packages; do
	go test "./$package" -update
done
git status --short
