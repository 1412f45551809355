# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""python3 tools/programs FILE...: prints "FILE:LINE PROGRAM" for every external program that these
files run.

Reads shell scripts, Makefiles and C, and in any file examples of `sandbox exec POD -- PROGRAM`.
Skips commands that are a variable: "$WEIR", execvp(argv[0], argv). Exit status 1: some system() or
popen() runs a text that is not a literal here; stderr has its position.
"""
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
from c import programs_of
from shell import ARGUMENTS, UNKNOWN, Shell

ASSIGNMENT = re.compile(r"[A-Za-z_]\w*(\[[^]]*\])?\+?=")
SYSTEM_FOLDER = re.compile(r"/(usr/)?(local/)?s?bin/")
EXAMPLE = re.compile(r"sandbox exec \S+ -- ([\w-]+)")

# Programs and builtins that run their arguments: their options with a value, and the number of
# operands before the command.
RUN_ARGUMENTS = {
    "builtin": ("", 0),
    "command": ("", 0),
    "env": ("-u", 0),
    "exec": ("-a", 0),
    "flock": ("-w", 1),
    "nice": ("-n", 0),
    "nohup": ("", 0),
    "nsenter": ("-t", 0),
    "setpriv": ("--pdeathsig", 0),
    "setsid": ("", 0),
    "stdbuf": ("-o", 0),
    "sudo": ("-u", 0),
    "taskset": ("", 1),
    "timeout": ("-k -s", 1),
    "unshare": ("", 0),
    "xargs": ("-n -I -P -d", 0),
}


class Script:
    """Commands of one text. self.runs: for each function that runs its arguments the number of
    arguments before the command."""

    def __init__(self, commands, functions=(), sourced=()):
        self.commands, self.functions, self.runs = commands, set(functions), {}
        for other in sourced:
            self.functions |= other.functions
            self.runs.update(other.runs)
        while any([self.learn(f) for f in functions]):
            pass

    def learn(self, function):
        shifts = 0
        for command in self.commands:
            if command.function != function:
                continue
            if command.words[0] == "shift":
                shifts += int(command.words[1]) if command.words[1:] else 1
            elif function not in self.runs and ARGUMENTS in self.programs(command.words):
                self.runs[function] = shifts
                return True
        return False

    def programs(self, words):
        """Programs of a simple command; with ARGUMENTS when it runs "$@"."""
        while words and ASSIGNMENT.match(words[0]):
            words = words[1:]
        if not words:
            return []
        name, rest = words[0], words[1:]
        if name in self.functions:
            return self.programs(rest[self.runs[name] :]) if name in self.runs else []
        if UNKNOWN in name or name.endswith("/weir"):
            at = rest.index("--") + 1 if "exec" in rest and "--" in rest else len(rest)
            return self.programs(rest[at:])
        if "/" in name and not SYSTEM_FOLDER.match(name):
            return []
        return [os.path.basename(name)] + self.inner_programs(name, rest)

    def inner_programs(self, name, rest):
        if name in ("eval", "trap"):
            return self.text_programs(rest[0]) if rest else []
        if name in ("sh", "bash"):
            texts = [text for option, text in zip(rest, rest[1:]) if re.fullmatch(r"-\w*c", option)]
            return self.text_programs(texts[0]) if texts else []
        if name == "find":
            starts = [i + 1 for i, word in enumerate(rest) if word in ("-exec", "-execdir")]
            return [p for start in starts for p in self.programs(rest[start:])]
        if name not in RUN_ARGUMENTS:
            return []
        with_value, operands = RUN_ARGUMENTS[name]
        while rest and (rest[0].startswith("-") or ASSIGNMENT.match(rest[0])):
            rest = rest[2:] if rest[0] in with_value.split() else rest[1:]
        return self.programs(rest[operands:])

    def text_programs(self, text):
        inner = Shell(text)
        script = Script(inner.commands, inner.functions, [self])
        return [p for command in inner.commands for p in script.programs(command.words)]


def shell_script(path, scripts):
    """With the functions of the scripts that it sources, found among `scripts` by name."""
    shell = Shell(open(path).read())
    sources = [c.words[1] for c in shell.commands if c.words[0] in (".", "source") and c.words[1:]]
    names = {os.path.basename(source) for source in sources}
    sourced = [shell_script(p, scripts) for p in scripts if os.path.basename(p) in names]
    return Script(shell.commands, shell.functions, sourced)


def expanded_recipes(path, text):
    """Recipes of all targets with a plain name and of their prerequisites, as make itself expands
    them, with "Makefile:LINE: target ..." above each."""
    targets = re.findall(r"^([a-z][a-z-]*):(?!=)", text, re.M)
    # make -n runs recipes that name $(MAKE) or begin with +
    harmless = re.sub(r"^\t\+", "\t", text.replace("$(MAKE)", "make"), flags=re.M)
    outer = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")
    return subprocess.run(
        ["make", "-f", "-", "-nB", "--trace", "--no-print-directory", *targets],
        cwd=os.path.dirname(path) or ".",
        env={name: value for name, value in os.environ.items() if name not in outer},
        input=harmless,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout


def makefile(path):
    text, line, commands = open(path).read(), 1, []
    for row in re.sub(r"\\\n\s*", " ", expanded_recipes(path, text)).split("\n"):
        found = re.match(r"[\w./-]+:(\d+): (?:update )?target ", row)
        if found:
            line = int(found[1])
        else:
            commands += Shell(row, line).commands
    for number, row in enumerate(text.split("\n"), 1):
        for inner in re.findall(r"\$\(shell (.*)\)", row):
            commands += Shell(re.sub(r"\$\(\w+\)", "$x", inner), number).commands
    return Script(commands)


def builtins():
    run = ["bash", "-c", "compgen -b; compgen -k"]
    return subprocess.run(run, stdout=subprocess.PIPE, text=True, check=True).stdout.split()


def main(paths):
    sources = [p for p in paths if p.endswith(".c")]
    makefiles = [p for p in paths if os.path.basename(p) == "Makefile"]
    rest = [p for p in paths if p not in sources + makefiles]
    scripts = [p for p in rest if p.endswith(".sh") or open(p).read(2) == "#!"]
    hidden = []
    found = programs_of(sources, Script([]).text_programs, hidden)
    for path in makefiles + scripts:
        script = makefile(path) if path in makefiles else shell_script(path, scripts)
        for command in script.commands:
            found |= {(path, command.line, p) for p in script.programs(command.words)}
    for path in paths:
        for number, row in enumerate(open(path), 1):
            found |= {(path, number, p) for p in EXAMPLE.findall(row)}
    not_programs = {ARGUMENTS, *builtins()}
    for path, line, program in sorted(found):
        if program not in not_programs and not program.startswith("-"):
            print(f"{path}:{line} {program}")
    for place in hidden:
        print(place, file=sys.stderr)
    return 1 if hidden else 0


sys.exit(main(sys.argv[1:]))
