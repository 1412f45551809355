#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# deps.sh [GROUP]: prints which Debian packages of a group are missing and what each is for, and
# installs them. Installs only packages of this list, and uses the network only when one is missing.
# GROUP: weir (the default: build, demo, test, lint, bench, fuzz) or vmtest.
#
# deps.sh list: prints "PACKAGE PROGRAM" for every program in the list. Lint compares this with the
# programs that the tree runs.
set -eu

# [GROUP], then: package | its programs that the tree runs | purpose
# [given] is not installed: every Debian has it, and only users who are not root need sudo.
# [other] is not installed either: without it a test is skipped.
packages='
[given]
apt                | apt-cache apt-get |
bash               | bash |
coreutils          | basename cat chmod chown cksum cp cut date dd dirname env head id install |
coreutils          | ln ls md5sum mkdir mktemp mv nice nproc paste realpath rm rmdir seq sleep sort |
coreutils          | stat tail timeout touch tr uname wc |
dash               | sh |
diffutils          | cmp diff |
dpkg               | dpkg dpkg-query |
findutils          | find xargs |
git                | git |
grep               | grep |
gzip               | gzip |
libc-bin           | iconv ldd |
mawk               | awk |
mount              | mount umount |
sed                | sed |
sudo               | sudo |
util-linux         | flock nsenter setpriv unshare |

[weir]
build-essential    | cc gcc make ar     | compiler, make and the C library
clang              | clang              | compiles the BPF programs; lint: second compiler of the C code
llvm               |                    | fuzz: names of functions in reports of the sanitizers
libclang-rt-14-dev |                    | sanitizers and fuzzer of clang
bpftool            | bpftool            | makes the skeletons of the BPF objects; tests: changes maps
libbpf-dev         |                    | loads BPF programs, makes maps
libelf-dev         |                    | libbpf needs it to read BPF objects
zlib1g-dev         |                    | libbpf needs it
libyaml-dev        |                    | reads manifests in YAML
libyajl-dev        |                    | reads and writes JSON
libsodium-dev      |                    | BLAKE2b
uthash-dev         |                    | hash tables
libmnl-dev         |                    | netlink: devices, addresses and routes
libcmocka-dev      |                    | unit tests
clang-format       | clang-format       | lint: formatting
universal-ctags    | ctags              | lint: length of functions
shellcheck         | shellcheck         | lint: shell scripts
groff-base         | groff              | tests: the manual page is valid roff
iproute2           | ip tc              | tests and bench: devices, addresses and filters
procps             | sysctl             | tests: settings of the network
nftables           | nft                | tests and bench: rulesets of other software
iptables           | iptables iptables-nft iptables-restore | tests and bench: the same
ipset              | ipset              | bench: policies as iptables with sets
python3            | python3            | tests: reads JSON; lint
curl               | curl               | demo: the suggested commands

[other]
golang-go          | go                 | tests: what the API server says; Debian 12 has it too old

[vmtest]
qemu-system-x86    | qemu-system-x86_64 | the virtual machine
cpio               | cpio               | its ramdisk
xz-utils           | xz                 | compressed kernel modules
'

wanted=${1:-weir}
case $wanted in
list | weir | vmtest) ;;
*)
	echo "usage: tools/deps.sh [weir|vmtest|list]" >&2
	exit 2
	;;
esac

installed() {
	dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q 'ok installed'
}

missing=()
group=
while IFS='|' read -r package programs purpose; do
	package=${package// /}
	case $package in
	'') continue ;;
	\[*) group=$package && continue ;;
	esac
	if [ "$wanted" = list ]; then
		for program in $programs; do
			echo "$package $program"
		done
	elif [ "$group" = "[$wanted]" ] && ! installed "$package"; then
		printf 'missing: %-20s %s\n' "$package" "${purpose# }"
		missing+=("$package")
	fi
done <<<"$packages"

[ "$wanted" = list ] && exit
if [ ${#missing[@]} = 0 ]; then
	echo "all packages that $wanted needs are installed"
	exit 0
fi

if [ "$(id -u)" != 0 ]; then
	echo "not root; to install the missing packages:"
	echo "  sudo apt-get update && sudo apt-get install --no-install-recommends ${missing[*]}"
	exit 1
fi

export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -q -y --no-install-recommends "${missing[@]}"
