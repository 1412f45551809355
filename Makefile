# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Weir. `make help` lists the targets. All output goes to $(BUILD).

BUILD ?= build
CC ?= gcc
CLANG ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool /usr/bin/bpftool) bpftool)
PREFIX ?= /usr/local
DESTDIR ?=
SANITIZER ?=
WERROR ?=
V ?=

VERSION := $(shell git describe --always --dirty --tags 2>/dev/null || echo unknown)
ARCH_INCLUDE := /usr/include/$(shell uname -m)-linux-gnu

WARN := -Wall -Wextra -Wshadow -Wformat=2 -Wstrict-prototypes -Wno-unused-parameter $(if $(WERROR),-Werror)
CFLAGS ?= -O2 -g
ALL_CFLAGS = -std=gnu11 -fno-strict-aliasing -D_GNU_SOURCE $(WARN) $(CFLAGS) -Iinclude -Iuser -I$(BUILD)/gen \
	$(if $(SANITIZER),-fsanitize=$(SANITIZER) -fno-omit-frame-pointer -fno-sanitize-recover=all)
LDLIBS := -lyaml -lyajl -lsodium -lbpf -lelf -lz -lmnl
BPF_CFLAGS := -target bpf -mcpu=v3 -O2 -g -std=gnu11 -Wall -Wextra -Wshadow -Wno-unused-parameter \
	-Wno-address-of-packed-member $(if $(WERROR),-Werror) -Iinclude -Ibpf -isystem $(ARCH_INCLUDE)

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-8s%s\n' $(1) '$(2)')

all: $(BUILD)/weir $(BUILD)/weir.1 $(BUILD)/weir.5

# ---- Flags: a change of compiler or flags rebuilds everything ----------------------------------

STAMP := $(BUILD)/.flags
FLAGS_NOW := $(CC) $(CLANG) $(ALL_CFLAGS) $(BPF_CFLAGS)
$(shell mkdir -p $(BUILD); printf '%s' '$(FLAGS_NOW)' | cmp -s - $(STAMP) || printf '%s' '$(FLAGS_NOW)' > $(STAMP))

# ---- BPF objects and their skeletons -----------------------------------------------------------

BPF_SRC := $(wildcard bpf/*.bpf.c)
BPF_OBJ := $(BPF_SRC:bpf/%.bpf.c=$(BUILD)/bpf/%.bpf.o)
BPF_SKEL := $(BPF_SRC:bpf/%.bpf.c=$(BUILD)/gen/%.skel.h)

vpath %.bpf.c bpf bench
$(BUILD)/bpf/%.bpf.o: %.bpf.c $(STAMP)
	$(call say,BPF,$<)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/gen/%.skel.h: $(BUILD)/bpf/%.bpf.o
	$(call say,SKEL,$@)
	@mkdir -p $(@D)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@.tmp && mv $@.tmp $@

# ---- User space --------------------------------------------------------------------------------

SCHEMA := $(BUILD)/gen/schema_table.h
$(SCHEMA): user/kube/schema.table tools/schema.awk
	$(call say,AWK,$@)
	@mkdir -p $(@D)
	$(Q)awk -f tools/schema.awk $< > $@.tmp && mv $@.tmp $@

# Each folder may call those to its right (tools/circles.py checks it).
MODULES := cli doctor sandbox inspect testrun sync attach kernel analyze compile settings kube base
lib = $(BUILD)/lib/$(1).a
LIBS := $(foreach m,$(MODULES),$(call lib,$(m)))
obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))

$(BUILD)/obj/%.o: %.c $(STAMP)
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(EXTRA_CFLAGS) -MMD -MP -c $< -o $@

define module_rule
$(call lib,$(1)): $(call obj,$(filter-out user/cli/main.c,$(wildcard user/$(1)/*.c)))
	$$(call say,AR,$$@)
	@mkdir -p $$(@D); rm -f $$@
	$$(Q)ar rcs $$@ $$^
endef
$(foreach m,$(MODULES),$(eval $(call module_rule,$(m))))

$(call obj,$(wildcard user/kernel/*.c)): | $(BPF_SKEL)
$(call obj,user/kube/schema.c): | $(SCHEMA)
$(BUILD)/obj/user/cli/version.o: EXTRA_CFLAGS = -DWEIR_VERSION='"$(VERSION)"'

$(BUILD)/weir: $(call obj,user/cli/main.c) $(LIBS)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/weir.1: $(BUILD)/weir
	$(call say,MAN,$@)
	$(Q)$< help -o man > $@

$(BUILD)/weir.5: $(BUILD)/weir
	$(call say,MAN,$@)
	$(Q)$< help config -o man > $@

# ---- Tests -------------------------------------------------------------------------------------
# tests/unit/*.c   pure, no root      tests/prog/*.c  BPF_PROG_TEST_RUN, root
# tests/diff/*.c   three evaluators   tests/netns/*   real traffic, root
# Each C file is a cmocka program of its own. All print TAP; tests/run.sh adds them up.

PURE_LIBS := $(foreach m,analyze compile settings kube base,$(call lib,$(m)))
TEST_LIBS := $(filter-out $(call lib,cli),$(LIBS))
REFERENCE := $(call obj,$(wildcard tests/reference/*.c))
TEST_LIB := $(call obj,$(wildcard tests/lib/*.c))
UNIT := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/*.c))
PROG := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/prog/*.c))
DIFF := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/diff/*.c))
NETNS_C := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/netns/*.c))

$(call obj,$(wildcard tests/*/*.c)): EXTRA_CFLAGS = -Itests
$(call obj,$(wildcard tests/lib/*.c tests/prog/*.c tests/diff/*.c tests/netns/*.c)): | $(BPF_SKEL)

link_test = $(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ -Wl,--start-group $^ -Wl,--end-group -lcmocka $(LDLIBS)

# Unit tests link the pure folders only, except those of cli and inspect.
UNIT_EDGE := $(filter $(addprefix $(BUILD)/tests/unit/,cli_% inspect_%),$(UNIT))

$(BUILD)/tests/unit/compile_scale: $(call obj,tests/lib/large_cluster.c)
$(filter-out $(UNIT_EDGE),$(UNIT)): $(BUILD)/%: $(BUILD)/obj/%.o $(REFERENCE) $(PURE_LIBS)
	$(call say,LD,$@)
	$(link_test)
$(UNIT_EDGE): $(BUILD)/%: $(BUILD)/obj/%.o $(LIBS)
	$(call say,LD,$@)
	$(link_test)
$(BUILD)/tests/diff/diff_why: $(call lib,cli) # it calls the command's own functions
$(PROG) $(DIFF) $(NETNS_C): $(BUILD)/%: $(BUILD)/obj/%.o $(REFERENCE) $(TEST_LIB) $(TEST_LIBS)
	$(call say,LD,$@)
	$(link_test)

# What kubectl and the API server make of manifests, for diff_apiserver; built where a Go that is new
# enough is installed.
APISERVER := $(BUILD)/apiserver/apiserver
$(APISERVER): $(wildcard tests/apiserver/*)
	$(call say,GO,$@)
	$(Q)tests/apiserver/build.sh $(@D)

apiserver: $(APISERVER)

BENCH_PROGRAMS := $(addprefix $(BUILD)/bench/,bench_prog bench_control bench_live)

tests: $(UNIT) $(PROG) $(DIFF) $(NETNS_C) $(BENCH_PROGRAMS)

.PHONY: vmtest vmtest-full all tests apiserver deps demo test lint clean help install bench
.SECONDARY:
.DELETE_ON_ERROR:

deps: ## install missing packages, and say what each is for
	$(Q)tools/deps.sh

$(call obj,bench/bench_prog.c bench/bench_world.c): EXTRA_CFLAGS = -Itests
$(call obj,bench/bench_prog.c): | $(BPF_SKEL) $(BUILD)/gen/bench_wrap.skel.h
$(BUILD)/bench/bench_prog: $(BUILD)/%: $(BUILD)/obj/%.o $(call obj,bench/bench_world.c bench/row.c tests/lib/packet.c tests/lib/prog_clear.c tests/lib/prog_env.c) $(call lib,base)
	$(call say,LD,$@)
	$(link_test)

$(BUILD)/bench/bench_control: $(BUILD)/%: $(BUILD)/obj/%.o $(call obj,bench/row.c tests/lib/large_cluster.c) $(TEST_LIBS)
	$(call say,LD,$@)
	$(link_test)
$(BUILD)/bench/bench_live: $(BUILD)/%: $(BUILD)/obj/%.o \
		$(call obj,bench/flood.c bench/live_flood.c bench/peers.c bench/row.c bench/stage.c bench/traffic.c tests/lib/large_cluster.c) $(TEST_LIBS)
	$(call say,LD,$@)
	$(link_test)
$(call obj,bench/bench_control.c bench/stage.c): EXTRA_CFLAGS = -Itests

BENCH ?= prog control live

bench: all $(BENCH_PROGRAMS) ## costs of Weir, compared with the kernel's own rules (root; BENCH="prog control live")
	$(Q)BUILD=$(BUILD) bench/run.sh $(BENCH)

lint: ## formatting, function length, dependencies, names in docs, shell scripts, warnings
	$(Q)tools/lint.sh

FUZZ_SECONDS ?= 60
FUZZ := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/*.c))

$(BUILD)/fuzz/%: tests/fuzz/%.c $(wildcard $(foreach m,base kube settings,user/$(m)/*.[ch])) $(SCHEMA) $(STAMP)
	$(call say,FUZZ,$@)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(ALL_CFLAGS) -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -o $@ \
		$(filter %.c,$^) -lyaml -lyajl -lsodium -lmnl

fuzz: $(FUZZ) ## each fuzz target for FUZZ_SECONDS, from the seeds in tests/fuzz
	$(Q)set -e; for target in $(FUZZ); do mkdir -p $$target.corpus; \
		$$target -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
			-dict=tests/fuzz/store.dict $$target.corpus tests/fuzz/seeds; done

test: ## all layers that this machine can run
	$(Q)tests/run.sh

$(BUILD)/vmtest/init: vmtest/init.c $(wildcard include/weir/*.h) $(STAMP)
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) -static -std=gnu11 -D_GNU_SOURCE $(WARN) -O1 -Iinclude -o $@ $< -lbpf -lelf -lz

vmtest: $(BUILD)/vmtest/init $(BPF_OBJ) ## load every BPF object on Debian 12's kernel, in a virtual machine (KERNELS=PACKAGE)
	$(Q)BUILD=$(BUILD) vmtest/run.sh $(KERNELS)

vmtest-full: $(BUILD)/vmtest/init all tests ## the same, and run the prog and traffic tests there (15 minutes or more)
	$(Q)BUILD=$(BUILD) VMTESTS='prog/datapath_* prog/kernel_* netns/traffic_*' vmtest/run.sh $(KERNELS)

demo: ## install packages, build, and show policies and Services with real traffic
	$(Q)tools/deps.sh && $(MAKE) all && tools/demo.sh

clean: ## remove the build folder
	rm -rf $(BUILD)

install: all ## to $(DESTDIR)$(PREFIX)
	install -D -m 755 $(BUILD)/weir $(DESTDIR)$(PREFIX)/bin/weir
	install -D -m 644 $(BUILD)/weir.1 $(DESTDIR)$(PREFIX)/share/man/man1/weir.1
	install -D -m 644 $(BUILD)/weir.5 $(DESTDIR)$(PREFIX)/share/man/man5/weir.5
	ln -sf weir.5 $(DESTDIR)$(PREFIX)/share/man/man5/weir.yaml.5

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  %-13s%s\n", $$1, $$2}' Makefile

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
