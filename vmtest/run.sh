#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# Loads every BPF object on other kernels: Debian's own, in a virtual machine
# without acceleration (about 5 s each). Speaks TAP.
#   BUILD=build vmtest/run.sh [KERNEL-PACKAGE-PATTERN ...]
# A pattern is an apt package of a kernel image, default: Debian 12's own.
set -eu
cd "$(dirname "$0")/.."
build=${BUILD:-build}
[ $# -gt 0 ] || set -- linux-image-cloud-amd64

skip() {
	echo "1..0 # SKIP $1"
	exit 0
}

command -v qemu-system-x86_64 >/dev/null || skip "qemu-system-x86 is not installed"
command -v cpio >/dev/null || skip "cpio is not installed"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Kernel images are kept between runs; the machine's own packages are not touched.
fetch_kernel() { # PACKAGE -> path of a vmlinuz
	local package=$1 cache=$build/vmtest
	mkdir -p "$cache"
	case $package in
	*-[0-9]*) ;;
	*) package=$(apt-cache depends "$package" | awk '$1 == "Depends:" {print $2; exit}') ;;
	esac
	if [ ! -e "$cache/$package" ]; then
		(cd "$work" && apt-get download "$package" >/dev/null 2>&1) || return 1
		dpkg -x "$work/$package"_*.deb "$work/$package"
		cp "$work/$package"/boot/vmlinuz-* "$cache/$package"
	fi
	echo "$cache/$package"
}

make_ramdisk() {
	mkdir -p "$work/root"
	cp "$build/vmtest/init" "$work/root/init"
	for source in bpf/*.bpf.c; do
		cp "$build/bpf/$(basename "${source%.c}").o" "$work/root/"
	done
	(cd "$work/root" && find . | cpio -o -H newc --quiet | gzip -1) >"$work/initrd.gz"
}

boot() { # VMLINUZ
	timeout 180 qemu-system-x86_64 -accel tcg -cpu max -M pc -smp 2 -m 1024 -kernel "$1" -initrd "$work/initrd.gz" \
		-append "console=ttyS0 quiet panic=-1" -nographic -no-reboot </dev/null | tr -d '\r'
}

make_ramdisk
failed=0
n=0
for package; do
	if ! vmlinuz=$(fetch_kernel "$package"); then
		n=$((n + 1))
		echo "ok $n - $package # SKIP the package cannot be fetched"
		continue
	fi
	boot "$vmlinuz" >"$work/console" || true
	if ! grep -q '^1\.\.' "$work/console"; then
		echo "# the machine did not get to its end:" && tail -n 20 "$work/console" | sed 's/^/# /'
		failed=1
	fi
	grep '^# kernel' "$work/console" || true
	while read -r line; do
		n=$((n + 1))
		case $line in not*) failed=1 && echo "not ok $n - ${line#* - }" ;; *) echo "ok $n - ${line#* - }" ;; esac
	done < <(grep -E '^(not )?ok ' "$work/console")
	[ "$failed" = 0 ] || grep -a -v -E '^(not )?ok ' "$work/console" | tail -n 30 | sed 's/^/# /'
done
echo "1..$n"
exit "$failed"
