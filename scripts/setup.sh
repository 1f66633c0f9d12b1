#!/usr/bin/env bash
# setup.sh build|test: installs the missing Debian packages that building (or
# building and testing) framegram needs. Says nothing when nothing is missing.
#
# Honours CGO_ENABLED=0 and TAGS (nocv, noturbo): a build without OpenCV or
# libjpeg-turbo does not ask for them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf 'setup: %s\n' "$*" >&2; }

# older A B: version A comes before version B.
older() { [[ $1 != "$2" && $(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1) == "$1" ]]; }

# check_go: a Go that can build this module. From 1.21 on, Go fetches the
# toolchain that go.mod names by itself, unless it is told not to.
check_go() {
	local go=${GO:-go} want have
	want=$(awk '$1 == "go" { print $2; exit }' go.mod)
	if ! command -v "$go" >/dev/null; then
		say "Go $want or newer is needed and there is no \"$go\" command: install it from https://go.dev/dl/"
		return 1
	fi
	have=$(GOTOOLCHAIN=local "$go" version | awk '{ sub(/^go/, "", $3); print $3 }')
	if older "$have" 1.21 || { older "$have" "$want" && [[ $("$go" env GOTOOLCHAIN) == local ]]; }; then
		say "Go $want or newer is needed and this is Go $have: install it from https://go.dev/dl/"
		return 1
	fi
}

# wanted PROFILE: the Debian packages, one a line.
wanted() {
	local tags=" ${TAGS:-} "
	tags=${tags//,/ }
	if [[ $1 == test || ${CGO_ENABLED:-1} != 0 ]]; then
		echo g++
		echo pkg-config
		[[ $1 == build && $tags == *" nocv "* ]] || echo libopencv-dev
		[[ $1 == build && $tags == *" noturbo "* ]] || echo libturbojpeg0-dev
	fi
	if [[ $1 == test ]]; then
		printf '%s\n' ffmpeg fish groff-base iproute2 libjpeg-turbo-progs nftables xdotool xvfb zsh
		# Any browser of the family will do; Ubuntu has no chromium package.
		command -v chromium chromium-browser google-chrome >/dev/null || echo chromium
	fi
}

# missing PACKAGE...: those that are not installed, one a line.
missing() {
	local installed
	installed=" $(dpkg-query -W -f='${db:Status-Status}/${Package} ' "$@" 2>/dev/null || true)"
	local p
	for p; do
		[[ $installed == *" installed/$p "* ]] || echo "$p"
	done
}

without() {
	say "or build without them, with the test picture, JPEG sources and the web page: CGO_ENABLED=0 make demo"
}

# install PACKAGE...
install() {
	local root=() apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300)
	if [[ $(id -u) != 0 ]]; then
		if ! command -v sudo >/dev/null; then
			say "these packages are missing, and there is no sudo to install them: as root, run"
			say "  apt-get install --no-install-recommends $*"
			without
			return 1
		fi
		root=(sudo)
	fi
	say "installing $*"
	"${root[@]}" "${apt[@]}" update
	"${root[@]}" "${apt[@]}" install -y --no-install-recommends "$@"
}

# elsewhere PROFILE: no apt-get here. What the build needs is looked for under the
# names that pkg-config has for it everywhere; nothing is installed.
elsewhere() {
	local lacking=() tool
	if [[ $(wanted "$1") == *pkg-config* ]]; then
		command -v c++ g++ clang++ >/dev/null || lacking+=("a C++ compiler (g++ or clang)")
		command -v pkg-config >/dev/null || lacking+=("pkg-config (or pkgconf)")
		if [[ $(wanted "$1") == *libopencv-dev* ]] && ! pkg-config --exists opencv4 2>/dev/null; then
			lacking+=("OpenCV 4 with its headers (opencv, opencv-devel)")
		fi
		if [[ $(wanted "$1") == *libturbojpeg0-dev* ]] && ! pkg-config --exists libturbojpeg 2>/dev/null; then
			lacking+=("libjpeg-turbo with its TurboJPEG headers (jpeg-turbo, turbojpeg-devel)")
		fi
	fi
	if [[ $1 == test ]]; then
		for tool in djpeg ffmpeg fish groff ip xdotool Xvfb zsh chromium; do
			command -v "$tool" >/dev/null || lacking+=("the $tool command (its tests skip)")
		done
	fi
	[[ ${#lacking[@]} == 0 ]] && return
	say "there is no apt-get here, so install these with your own package manager:"
	printf 'setup:   %s\n' "${lacking[@]}" >&2
	[[ $1 == test ]] || { without && return 1; }
}

profile=${1:-build}
case $profile in
build | test) ;;
*)
	say "unknown profile \"$profile\": build or test"
	exit 2
	;;
esac
check_go
if ! command -v apt-get >/dev/null; then
	elsewhere "$profile"
	exit
fi
mapfile -t packages < <(wanted "$profile")
[[ ${#packages[@]} == 0 ]] && exit
mapfile -t packages < <(missing "${packages[@]}")
[[ ${#packages[@]} == 0 ]] && exit
install "${packages[@]}"
