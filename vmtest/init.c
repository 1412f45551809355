// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The first process of a test machine: loads every BPF object, runs programs that are run once
 * after loading, runs the test programs in /tests, prints the results as TAP on the console at
 * once, and powers the machine off. Static; all files are in the initial ramdisk.
 */
#include <fcntl.h>
#include <glob.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <weir/programs.h>

#define PROGRAM_SECONDS "1200"

static int tests;

/* Seconds since the machine started. */
static long elapsed(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static void result(int ok, const char *what, unsigned int instructions)
{
	printf("%sok %d - %s", ok ? "" : "not ", ++tests, what);
	if (instructions)
		printf(" (%u verified instructions)", instructions);
	printf("\n");
}

static int print_warnings(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	return level == LIBBPF_WARN ? vprintf(fmt, ap) : 0;
}

/* Whether user space runs the program once after loading. */
static int is_run_after_load(const char *name)
{
#define IS_START(program, step, object, hook)                               \
	if (WEIR_HOOK_##hook == WEIR_HOOK_START && !strcmp(name, #program)) \
		return 1;
	WEIR_PROGRAMS(IS_START)
#undef IS_START
	return 0;
}

static void run_once(const char *name, int fd)
{
	unsigned char frame[64] = {};
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame, .data_size_in = sizeof(frame));
	int r = bpf_prog_test_run_opts(fd, &run);
	char what[64];

	snprintf(what, sizeof(what), "%s runs", name);
	result(!r && !run.retval, what, 0);
}

static void load(const char *path)
{
	struct bpf_object *obj = bpf_object__open(path);
	struct bpf_program *prog;

	if (!obj || bpf_object__load(obj)) {
		result(0, path, 0);
		return;
	}
	bpf_object__for_each_program(prog, obj)
	{
		const char *name = bpf_program__name(prog);
		struct bpf_prog_info info = {};
		__u32 len = sizeof(info);

		bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &len);
		result(1, name, info.verified_insns);
		if (is_run_after_load(name))
			run_once(name, bpf_program__fd(prog));
	}
}

/* Files are numbered in the order of loading; a module that is built in has none. */
static void insert_modules(void)
{
	glob_t modules;

	if (glob("/modules/*.ko", 0, NULL, &modules))
		return;
	for (size_t i = 0; i < modules.gl_pathc; i++) {
		int fd = open(modules.gl_pathv[i], O_RDONLY);

		if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
			printf("# %s: %m\n", modules.gl_pathv[i]);
		close(fd);
	}
}

/* Failures and comments of a test; not skips and totals. */
static int is_shown(const char *line)
{
	if (strstr(line, "# SKIP") || !strncmp(line, "# ok - ", 7))
		return 0;
	return !strncmp(line, "not ok", 6) || line[0] == '#';
}

/* Runs one test program, the nth of `of`; prints its failures and how many tests passed. */
static void run_program(char *path, size_t nth, size_t of)
{
	char command[256], line[512], what[320];
	int passed = 0, failed = 0, skipped = 0, status;
	long start = elapsed();
	FILE *out;

	printf("# %zu/%zu %s begins (%ld s)\n", nth, of, basename(path), start);
	fflush(stdout);
	snprintf(command, sizeof(command), "timeout %s %s 2>&1", PROGRAM_SECONDS, path);
	out = popen(command, "r");
	while (out && fgets(line, sizeof(line), out)) {
		if (strstr(line, "# SKIP"))
			skipped++;
		else if (!strncmp(line, "ok ", 3))
			passed++;
		else if (!strncmp(line, "not ok ", 7))
			failed++;
		if (is_shown(line))
			printf("#   %s", line);
	}
	status = out ? pclose(out) : -1;
	snprintf(what, sizeof(what), "%s: %d passed, %d failed, %d skipped (%ld s)", basename(path),
		 passed, failed, skipped, elapsed() - start);
	result(!status && !failed && passed, what, 0);
	fflush(stdout);
}

static void run_programs(void)
{
	glob_t programs;

	if (glob("/tests/*", 0, NULL, &programs))
		return;
	for (size_t i = 0; i < programs.gl_pathc; i++)
		run_program(programs.gl_pathv[i], i + 1, programs.gl_pathc);
}

static void console(void)
{
	int fd;

	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mkdir("/dev", 0755);
	mkdir("/run", 0755);
	mkdir("/tmp", 0755);
	mount("proc", "/proc", "proc", 0, "");
	mount("sysfs", "/sys", "sysfs", 0, "");
	mount("devtmpfs", "/dev", "devtmpfs", 0, "");
	mount("bpf", "/sys/fs/bpf", "bpf", 0, "");
	mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, "");
	mount("tmpfs", "/run", "tmpfs", 0, "");
	mount("tmpfs", "/tmp", "tmpfs", 0, "");
	fd = open("/dev/console", O_RDWR);
	if (fd >= 0) {
		dup2(fd, STDOUT_FILENO);
		dup2(fd, STDERR_FILENO);
	}
}

int main(void)
{
	struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
	struct utsname os;
	glob_t objects;

	console();
	libbpf_set_print(print_warnings);
	setrlimit(RLIMIT_MEMLOCK, &all);
	uname(&os);
	printf("\n# kernel %s\n", os.release);
	insert_modules(); /* before loading: some programs call kfuncs of modules */
	if (!glob("/*.bpf.o", 0, NULL, &objects))
		for (size_t i = 0; i < objects.gl_pathc; i++)
			load(objects.gl_pathv[i]);
	setenv("PATH", "/bin", 1);
	/* the other environments take too long without acceleration */
	setenv("WEIR_NETNS_ENVS", "routed", 1);
	setenv("WEIR_NETNS_JOBS", "1", 1);
	setenv("WEIR_PROG_REUSE", "1", 1);
	run_programs();
	printf("1..%d\n", tests);
	fflush(stdout);
	sync();
	sleep(1);
	reboot(RB_POWER_OFF);
	return 0;
}
