#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Says which Debian packages are missing and what each is for, and installs
# them. Installs nothing that is not in this list, and asks the network for
# nothing when nothing is missing.
set -eu

packages='
build-essential		gcc, make and the C library
clang			compiles the BPF programs; second compiler of the C code
llvm			llvm-strip and friends for the BPF objects
libclang-rt-14-dev	sanitizers and fuzzer of clang
bpftool			makes the skeletons of the BPF objects
libbpf-dev		loads BPF programs and maps
libelf-dev		libbpf reads the BPF objects with it
zlib1g-dev		libbpf needs it
libyaml-dev		reads manifests in YAML
libyajl-dev		reads and writes JSON
libsodium-dev		BLAKE2b, the hash that things are named by
uthash-dev		hash tables
libmnl-dev		netlink: devices, addresses and routes
libcmocka-dev		unit tests
pkg-config		finds the libraries
clang-format		lint: formatting
universal-ctags		lint: length of functions
shellcheck		lint: shell scripts
groff-base		tests: the manual page is good roff
nftables		tests: rulesets that other software brings
iproute2		tests and demo: looking at namespaces from outside
python3			tests: JSON as another program reads it; lint: which file needs which
'

missing=()
while read -r package purpose; do
	[ -n "$package" ] || continue
	dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' && continue
	printf 'missing: %-20s %s\n' "$package" "$purpose"
	missing+=("$package")
done <<<"$packages"

if [ ${#missing[@]} = 0 ]; then
	echo "all packages that Weir needs are installed"
	exit 0
fi

if [ "$(id -u)" != 0 ]; then
	echo "not root; to install what is missing:"
	echo "  sudo apt-get update && sudo apt-get install --no-install-recommends ${missing[*]}"
	exit 1
fi

export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -q -y --no-install-recommends "${missing[@]}"
