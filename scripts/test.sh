#!/usr/bin/env bash
# test.sh [long]: every test there is, part by part; long also runs the matrix of
# framegram bench. All parts run even when one fails; the failed ones are listed at
# the end.
#
# gocv takes half a minute to compile in each flavour, so only two flavours link
# it: the normal one and the one with the race detector.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
go=${GO:-go}
long=${1:-}
count=''
if [[ $long == long ]]; then
	count='-count=5 -shuffle=on'
	export FRAMEGRAM_TEST_LONG=1
fi

failed=()
part() { # part TITLE COMMAND...
	local title=$1 start=$SECONDS
	shift
	printf '\n== %s\n' "$title"
	"$@" || failed+=("$title")
	printf '   %d s\n' $((SECONDS - start))
}

lint() { scripts/lint.sh quick; }

# unit WITHOUT FLAGS...: tests of every package but those that WITHOUT matches.
unit() {
	local packages
	packages=$("$go" list ./... | grep -vE "$1") || return
	shift
	# shellcheck disable=SC2086 # one word for each package and flag
	"$go" test $count "$@" $packages
}

# raced: not what starts no goroutine and takes long.
# shipped: what the race detector changes (allocations, times), and what was not raced. The
# other packages would do the same again.
raced() { unit '/(e2e|bench|fragment|rate|internal/leopard)$' -race -p 3; }
shipped() { unit '/(e2e|capture|clock|command|display|internal/[^l].*|matroska|timecode|trial)$' -p 3; }

# pure: what is another program without cgo. The other packages have no file that is.
pure() { CGO_ENABLED=0 "$go" build -o /dev/null . && CGO_ENABLED=0 unit '/(e2e|udp|tcp|fragment|stream|clock|timecode|matroska|bench|trial|internal/.*)$'; }

tags() {
	local tags
	for tags in nocv noturbo; do
		echo "$tags"
		"$go" build -tags "$tags" -o /dev/null . && "$go" test -tags "$tags" ./codec ./capture ./display || return
	done
}

cross() (
	local target
	for target in linux/arm64 darwin/arm64 windows/amd64; do
		echo "$target"
		export CGO_ENABLED=0 GOOS=${target%/*} GOARCH=${target#*/}
		"$go" build -o /dev/null . || return
		[[ $GOOS == linux ]] || "$go" vet ./... || return # the tests compile there, too
	done
)

# e2e: what runs beside others waits most of the time.
e2e() { "$go" test -count=1 -parallel 4 -timeout 15m ./e2e; }

# matrix: the program against itself, over slow links and fast ones.
matrix() { make --no-print-directory matrix; }

part "gofmt and go vet of every flavour" lint
part "unit and whole-command tests with the race detector" raced
part "unit tests without it, as shipped" shipped
part "CGO_ENABLED=0: build, unit and whole-command tests" pure
part "-tags nocv, -tags noturbo: builds and tests" tags
part "cross-compiling with CGO_ENABLED=0" cross
part "end to end: real processes, sockets, windows and pages" e2e
if [[ $long == long ]]; then
	part "framegram bench matrix" matrix
fi

if [[ ${#failed[@]} != 0 ]]; then
	printf '\nFAILED: %s\n' "${failed[@]}" >&2
	exit 1
fi
printf '\nall passed in %d s\n' $SECONDS
