#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Loads every BPF object, and runs the tests that need a kernel, on other kernels: Debian's own, in a
# virtual machine without acceleration. Prints TAP, each line as soon as the machine prints it;
# "# i/n PROGRAM begins (s)" has the program that runs and the seconds since the machine started.
#   BUILD=build vmtest/run.sh [KERNEL-PACKAGE ...]
# KERNEL-PACKAGE: an apt package of a kernel image, default: Debian 12's own.
# VMTESTS: programs under $BUILD/tests to run as well, none by default; `make vmtest-full` gives
# "prog/datapath_* prog/kernel_* netns/traffic_*".
set -eu
cd "$(dirname "$0")/.."
build=${BUILD:-build}
[ $# -gt 0 ] || set -- linux-image-cloud-amd64
# What the tests need and Debian builds as modules, in the order of loading.
modules='drivers/net/veth net/sched/sch_ingress net/sched/cls_bpf lib/libcrc32c
	net/ipv4/netfilter/nf_defrag_ipv4 net/ipv6/netfilter/nf_defrag_ipv6 net/netfilter/nf_conntrack
	net/netfilter/nf_nat net/netfilter/nfnetlink net/netfilter/nf_tables net/netfilter/nft_ct
	net/netfilter/nft_chain_nat net/netfilter/nft_nat net/netfilter/nft_reject
	net/netfilter/nft_reject_inet net/ipv4/inet_diag net/ipv4/udp_diag'
tests=${VMTESTS-}
MACHINE_SECONDS=7200

skip() {
	echo "1..0 # SKIP $1"
	exit 0
}

for program in qemu-system-x86_64 cpio; do
	command -v $program >/dev/null || skip "$program is not installed: run tools/deps.sh vmtest"
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Kernel images are kept between runs. Nothing is installed on this machine.
fetch_kernel() { # PACKAGE -> folder with vmlinuz and modules
	local package=$1 n=0 file cache
	cache=$build/vmtest/$(printf %s "$modules" | cksum | cut -d' ' -f1) # other modules: fetched again
	mkdir -p "$cache"
	case $package in
	*-[0-9]*) ;;
	*) package=$(apt-cache depends "$package" | awk '$1 == "Depends:" {print $2; exit}') ;;
	esac
	if [ ! -e "$cache/$package" ]; then
		(cd "$work" && apt-get download "$package" >/dev/null 2>&1) || return 1
		dpkg -x "$work/$package"_*.deb "$work/$package"
		mkdir -p "$work/kernel/modules"
		cp "$work/$package"/boot/vmlinuz-* "$work/kernel/vmlinuz"
		for module in $modules; do
			n=$((n + 1))
			for file in "$work/$package"/lib/modules/*/kernel/"$module".ko*; do
				case $file in
				*.xz) xz -dc "$file" >"$work/kernel/modules/$(printf %02d "$n").ko" ;;
				*) cp "$file" "$work/kernel/modules/$(printf %02d "$n").ko" ;;
				esac
			done
		done
		mv "$work/kernel" "$cache/$package"
	fi
	echo "$cache/$package"
}

# A program with the libraries that it needs, at the same paths.
add_program() { # FILE TARGET
	local library
	mkdir -p "$work/root$(dirname "$2")"
	cp "$1" "$work/root$2"
	for library in $(ldd "$1" 2>/dev/null | grep -oE '/[^ ]+'); do
		[ -e "$work/root$library" ] && continue
		mkdir -p "$work/root$(dirname "$library")"
		cp -L "$library" "$work/root$library"
	done
}

make_ramdisk() { # KERNEL-FOLDER
	local source pattern program
	rm -rf "$work/root"
	mkdir -p "$work/root/tests"
	cp "$build/vmtest/init" "$work/root/init"
	cp -r "$1/modules" "$work/root/modules"
	for source in bpf/*.bpf.c; do
		cp "$build/bpf/$(basename "${source%.c}").o" "$work/root/"
	done
	for pattern in $tests; do
		for program in "$build"/tests/$pattern; do
			[ -x "$program" ] && add_program "$program" "/tests/$(basename "$program")"
		done
	done
	for program in sh ip nft sysctl nsenter timeout mv rm touch mkdir mount umount; do # what the tests call
		add_program "$(command -v "$program")" "/bin/$program"
	done
	(cd "$work/root" && find . | cpio -o -H newc --quiet | gzip -1) >"$work/initrd.gz"
}

# Runs the machine with its console on stdout. --pdeathsig: it must end with this script.
boot() { # KERNEL-FOLDER
	exec setpriv --pdeathsig TERM timeout "$MACHINE_SECONDS" qemu-system-x86_64 -accel tcg -cpu max -M pc -smp 2 -m 3072 -kernel "$1/vmlinuz" -initrd "$work/initrd.gz" \
		-append "console=ttyS0 quiet panic=-1" -nographic -no-reboot </dev/null
}

# One line of the console; results are numbered over all kernels.
show() { # LINE
	case $1 in
	'ok '* | 'not ok '*)
		n=$((n + 1))
		echo "${1%%ok *}ok $n - ${1#* - }"
		;;&
	'not ok '*) failed=1 ;;
	'# kernel '* | '# '*' begins ('*) echo "$1" ;;
	'#   '*) echo "$1" ;; # of a test program
	esac
}

failed=0
n=0
for package; do
	if ! kernel=$(fetch_kernel "$package"); then
		n=$((n + 1))
		echo "ok $n - $package # SKIP the package cannot be fetched"
		continue
	fi
	make_ramdisk "$kernel"
	: >"$work/console"
	while IFS= read -r line; do
		line=${line%$'\r'}
		printf '%s\n' "$line" >>"$work/console"
		show "$line"
	done < <(boot "$kernel" 2>&1)
	if ! grep -a -q '^1\.\.' "$work/console"; then
		echo "# the machine did not finish:" && tail -n 20 "$work/console" | sed 's/^/# /'
		failed=1
	fi
done
echo "1..$n"
exit "$failed"
