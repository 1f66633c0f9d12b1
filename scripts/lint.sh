#!/usr/bin/env bash
# lint.sh [quick]: gofmt, go vet of every build flavour and, unless quick, staticcheck.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
go=${GO:-go}
staticcheck=honnef.co/go/tools/cmd/staticcheck@v0.8.2

unformatted=$(gofmt -l .)
if [[ -n $unformatted ]]; then
	printf 'lint: not formatted, run gofmt -w on:\n%s\n' "$unformatted" >&2
	exit 1
fi

for tags in "" nocv noturbo; do
	"$go" vet -tags "$tags" ./...
done
CGO_ENABLED=0 "$go" vet ./...
[[ ${1:-} == quick ]] && exit

"$go" run $staticcheck ./...
CGO_ENABLED=0 "$go" run $staticcheck ./...
