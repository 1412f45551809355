#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# build.sh FOLDER: builds FOLDER/apiserver, which says what kubectl and the API server make of
# manifests. Where it cannot be built, the reason is written to FOLDER/skipped: Go is missing or too
# old, or the modules cannot be fetched. An error of the program itself is an error. The first time
# takes about two minutes on two cores; Go keeps what it compiled.
set -eu

mkdir -p "$1"
folder=$(cd "$1" && pwd)
cd "$(dirname "$0")"
export GOTOOLCHAIN=local GOFLAGS=-mod=readonly GOWORK=off

skip() {
	printf '%s\n' "$1" >"$folder/skipped"
	rm -f "$folder/apiserver"
	exit 0
}

wanted=$(awk '$1 == "go" { print $2 }' go.mod)
command -v go >/dev/null || skip "needs Go $wanted or newer, and there is no Go"
found=$(go env GOVERSION 2>/dev/null | sed 's/^go//; s/[^0-9.].*//')
[ "$(printf '%s\n' "$wanted" "$found" | sort -V | head -n 1)" = "$wanted" ] || skip "needs Go $wanted or newer, found ${found:-an older one}"
go mod download 2>"$folder/download.log" || skip "its Go modules cannot be fetched: $(tail -n 1 "$folder/download.log")"
nice go build -o "$folder/apiserver" .
nice go build -o "$folder/fields" ./fields
rm -f "$folder/skipped"
