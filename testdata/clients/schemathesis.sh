#!/usr/bin/env bash
# Runs schemathesis beside the server: go run ./testdata/clients/server bash testdata/clients/schemathesis.sh
# It makes requests of all kinds, right and wrong ones, from the description that the server has of its interfaces, and holds the answers against
# it. One check is left out, that requests are accepted which the description allows: fields that contradict one another, such as
# stream_options without stream, are refused, and JSON schemas cannot say so without becoming unreadable.
set -euo pipefail
cd "$(dirname "$0")"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 describe.py >"$scratch/openapi.json"
cd "$scratch" # where it keeps a database of failures
schemathesis run openapi.json --url "$GLMC_URL" -H "Authorization: Bearer $GLMC_KEY" \
	--checks all --exclude-checks positive_data_acceptance --continue-on-failure --phases coverage,fuzzing \
	--max-examples "${EXAMPLES:-20}" --seed "${SEED:-1}" --workers 1 --request-timeout 60 --max-response-time 60 --suppress-health-check all --warnings off --no-color
