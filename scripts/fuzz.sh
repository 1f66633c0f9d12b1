#!/usr/bin/env bash
# fuzz.sh [TIME]: runs every fuzz target of every package for TIME (20s), one after
# the other. A find is written to the package's testdata/fuzz: commit it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
go=${GO:-go}
time=${1:-20s}

failed=()
log=$(mktemp)
trap 'rm -f "$log"' EXIT
while IFS=: read -r file target; do
	printf '== %s %s\n' "$(dirname "$file")" "$target"
	"$go" test -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 200x "./$(dirname "$file")" </dev/null 2>&1 |
		tee "$log" && continue
	# Go may report its own time limit as a failure (golang/go#75804); a find names a file.
	grep -q 'context deadline exceeded' "$log" && ! grep -q 'Failing input written to' "$log" && continue
	failed+=("$(dirname "$file") $target")
done < <(grep -roE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' . | sed -e 's|^\./||' -e 's|func ||' | sort)

if [[ ${#failed[@]} != 0 ]]; then
	printf 'fuzz: failed: %s\n' "${failed[@]}" >&2
	exit 1
fi
