# SPDX-License-Identifier: BSD-2-Clause
# Builds cachetrace into build/. `make help` lists the targets.

B := build
PREFIX ?= /usr/local
DESTDIR ?=
VERSION := $(shell git describe --always --dirty --tags 2>/dev/null || echo unknown)

CC ?= gcc
CLANG ?= $(firstword $(shell command -v clang clang-19 clang-16 clang-14) clang)
BPFTOOL ?= $(firstword $(shell command -v bpftool /usr/sbin/bpftool) bpftool)
VMLINUX_BTF ?= /sys/kernel/btf/vmlinux
ARCH ?= $(shell uname -m)
BPF_ARCH := $(patsubst x86_64,x86,$(patsubst aarch64,arm64,$(ARCH)))

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-8s %s\n' $(1) $(patsubst $(B)/%,%,$@)
endif

# What the files need: libbpf for the kernel, elfutils for ELF, capstone for instructions, jansson for JSON,
# libcyaml (and the libyaml below it) for target files, libiberty for demangling.
PACKAGES := libbpf libelf libdw liblzma capstone jansson libcyaml yaml-0.1
CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Wstrict-prototypes -Wmissing-prototypes -Wshadow -Wvla $(if $(WERROR),-Werror)
PACKAGE_CFLAGS := $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
USER_CFLAGS := -std=gnu17 -D_GNU_SOURCE $(WARNINGS) -Iinclude -I$(B) -iquote user $(PACKAGE_CFLAGS) $(CFLAGS) $(SANITIZE)
USER_LIBS := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -liberty -lpthread $(SANITIZE)
BPF_CFLAGS := -O2 -g -target bpf -mcpu=v3 -D__TARGET_ARCH_$(BPF_ARCH) -Wall -Wextra -Iinclude -I$(B) -Ibpf

BPF_SOURCES := $(wildcard bpf/*.bpf.c)
# The owners of maps first: bpftool 7.1 mislinks an extern map that it meets before the definition.
BPF_OBJECTS := $(BPF_SOURCES:%.bpf.c=$(B)/%.bpf.o)
BPF_MAPS_FIRST := $(B)/bpf/store.bpf.o $(B)/bpf/frame.bpf.o
BPF_LINK_ORDER := $(BPF_MAPS_FIRST) $(filter-out $(BPF_MAPS_FIRST),$(BPF_OBJECTS))
USER_SOURCES := $(wildcard user/*.c)
USER_OBJECTS := $(USER_SOURCES:%.c=$(B)/%.o) $(B)/user/targets.o
LIBRARY_OBJECTS := $(filter-out $(B)/user/main.o,$(USER_OBJECTS))
UNIT_TESTS := $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(wildcard tests/unit/test_*.c))

.PHONY: all
all: $(B)/cachetrace

$(B)/vmlinux.h: $(VMLINUX_BTF)
	$(call say,BTF)
	$(Q)mkdir -p $(@D)
	$(Q)$(BPFTOOL) btf dump file $< format c >$@.tmp && mv $@.tmp $@

$(B)/bpf/%.bpf.o: bpf/%.bpf.c $(B)/vmlinux.h Makefile
	$(call say,BPF)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -MT $@ -c $< -o $@

$(B)/cachetrace.bpf.o: $(BPF_LINK_ORDER)
	$(call say,BPFLINK)
	$(Q)$(BPFTOOL) gen object $@ $^

$(B)/cachetrace.skel.h: $(B)/cachetrace.bpf.o
	$(call say,SKEL)
	$(Q)$(BPFTOOL) gen skeleton $< name cachetrace_bpf >$@.tmp && mv $@.tmp $@

# The built-in target files, as one array of {name, text, end}.
$(B)/user/targets.S: $(wildcard user/targets/*.yaml) tools/embed-targets.sh
	$(call say,EMBED)
	$(Q)mkdir -p $(@D)
	$(Q)tools/embed-targets.sh $(sort $(wildcard user/targets/*.yaml)) >$@.tmp && mv $@.tmp $@

$(B)/user/targets.o: $(B)/user/targets.S $(wildcard user/targets/*.yaml)
	$(call say,AS)
	$(Q)$(CC) -c $< -o $@

$(B)/version.h: FORCE
	@mkdir -p $(@D)
	@echo '#define CACHETRACE_VERSION "$(VERSION)"' | cmp -s - $@ || \
		echo '#define CACHETRACE_VERSION "$(VERSION)"' >$@
.PHONY: FORCE
FORCE:

$(patsubst user/%.c,$(B)/user/%.o,$(wildcard user/tracer*.c)): $(B)/cachetrace.skel.h
$(B)/user/%.o: user/%.c $(B)/version.h Makefile
	$(call say,CC)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(USER_CFLAGS) -MMD -MP -c $< -o $@

$(B)/cachetrace: $(USER_OBJECTS)
	$(call say,LINK)
	$(Q)$(CC) $(CFLAGS) $^ -o $@ $(USER_LIBS)

$(B)/tests/unit/%: tests/unit/%.c $(LIBRARY_OBJECTS) Makefile
	$(call say,TEST)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(USER_CFLAGS) -MMD -MP $< $(LIBRARY_OBJECTS) -o $@ -lcmocka $(USER_LIBS)

# Programs that live tests trace. Frame pointers, so that most functions begin with an instruction that is cheap to
# probe: a test is a million calls and more.
P := $(B)/tests/programs
PROGRAM_FLAGS := -g -O1 -fno-omit-frame-pointer -foptimize-sibling-calls -Wall -Wextra
PROGRAMS := $(addprefix $(P)/,truth truth_cxx truth_static truth_nopie truth_stripped truth_o2 many red_zone sqlite_two forker)

$(P)/%: tests/programs/%.c tests/programs/truth.h Makefile
	$(call say,PROGRAM)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(PROGRAM_FLAGS) $(PROGRAM_EXTRA) $< -o $@ -lpthread $(PROGRAM_LIBS)

$(P)/truth_cxx: tests/programs/truth_cxx.cc tests/programs/truth.h Makefile
	$(call say,PROGRAM)
	$(Q)mkdir -p $(@D)
	$(Q)$(CXX) $(PROGRAM_FLAGS) $< -o $@ -lpthread

$(P)/sqlite_two: PROGRAM_LIBS := -lsqlite3
$(P)/truth_static: PROGRAM_EXTRA := -static
$(P)/truth_nopie: PROGRAM_EXTRA := -no-pie -fno-pie
$(P)/truth_o2: PROGRAM_EXTRA := -O2 -fomit-frame-pointer
$(P)/truth_static $(P)/truth_nopie $(P)/truth_o2: tests/programs/truth.c tests/programs/truth.h Makefile
	$(call say,PROGRAM)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(PROGRAM_FLAGS) $(PROGRAM_EXTRA) $< -o $@ -lpthread

# Stripped, with the symbols in a file of their own below build/tests/debug, found by build-id.
$(P)/truth_stripped: $(P)/truth
	$(call say,PROGRAM)
	$(Q)id=$$(readelf -n $< | sed -n 's/ *Build ID: //p') && \
		dir=$(B)/tests/debug/.build-id/$$(echo $$id | cut -c1-2) && mkdir -p $$dir && \
		objcopy --only-keep-debug $< $$dir/$$(echo $$id | cut -c3-).debug && strip -o $@ $<

-include $(wildcard $(B)/*/*.d $(B)/tests/*/*.d)

# What the tests find is printed by prove, whose last lines are the totals.
PROVE := prove --comments --timer
LIVE_TESTS := $(sort $(wildcard tests/live/*.bats))

.PHONY: check check-unit check-live
check:
	@tools/setup.sh test
	@$(MAKE) --no-print-directory all check-programs $(UNIT_TESTS)
	$(PROVE) $(UNIT_TESTS) $(LIVE_TESTS)

check-unit: $(UNIT_TESTS)
	$(PROVE) $(UNIT_TESTS)

check-live: all check-programs
	$(PROVE) $(LIVE_TESTS)

.PHONY: check-programs
check-programs: $(PROGRAMS)

# A real server under load, traced for some seconds.
.PHONY: demo
demo:
	@tools/setup.sh demo
	@$(MAKE) --no-print-directory all
	@tools/demo.sh

.PHONY: install
install: all
	install -d $(DESTDIR)$(PREFIX)/sbin
	install -m 755 $(B)/cachetrace $(DESTDIR)$(PREFIX)/sbin/cachetrace
	install -d $(DESTDIR)$(PREFIX)/share/man/man8
	$(B)/cachetrace --man >$(DESTDIR)$(PREFIX)/share/man/man8/cachetrace.8

.PHONY: help
help:
	@echo 'make                 build build/cachetrace (no root needed; VMLINUX_BTF=FILE names another kernel)'
	@echo 'sudo make demo       install what is missing, build, trace a real server for some seconds'
	@echo 'sudo make check      install what is missing, build, run all tests'
	@echo 'make check-unit      the tests that need no root'
	@echo 'make check-live      the tests that trace programs (root)'
	@echo 'make install         to DESTDIR and PREFIX ($(PREFIX))'
	@echo 'make clean'
	@echo 'V=1 shows the commands, WERROR=1 makes warnings errors, SANITIZE=-fsanitize=address,undefined'

.PHONY: clean
clean:
	rm -rf $(B)

.DELETE_ON_ERROR:
.SECONDARY:
