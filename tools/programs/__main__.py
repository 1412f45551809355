# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""python3 tools/programs FILE...: prints "FILE:LINE PROGRAM" for every external program that these files run.

Reads shell scripts, Makefiles, C, and in any file what `weir sandbox exec POD -- PROGRAM` tells people to run. What a
variable holds is not known: "$WEIR", execvp(argv[0], argv). Exit status 1: a call in C hides its whole command.
"""
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
from c import programs_of
from shell import ARGUMENTS, UNKNOWN, Command, Shell

ASSIGNMENT = re.compile(r"[A-Za-z_]\w*(\[[^]]*\])?\+?=")
SYSTEM_FOLDER = re.compile(r"/(usr/)?(local/)?s?bin/")
EXAMPLE = re.compile(r"sandbox exec \S+ -- ([\w-]+)")

# Programs and builtins that run their arguments: options that take a value, and operands before the command.
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
    """Commands of one text. self.runs: how many arguments of a function stand before a command that it runs."""

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
        """What a simple command runs; ARGUMENTS is among it when it runs "$@"."""
        while words and ASSIGNMENT.match(words[0]):
            words = words[1:]
        if not words:
            return []
        name, rest = words[0], words[1:]
        if name in self.functions:
            return self.programs(rest[self.runs[name] :]) if name in self.runs else []
        if UNKNOWN in name or name.endswith("/weir"):
            return self.programs(rest[rest.index("--") + 1 :]) if "exec" in rest and "--" in rest else []
        if "/" in name and not SYSTEM_FOLDER.match(name):
            return []
        return [os.path.basename(name)] + self.inner_programs(name, rest)

    def inner_programs(self, name, rest):
        if name in ("eval", "trap"):
            return self.text_programs(rest[0]) if rest else []
        if name in ("sh", "bash"):
            option = next((i for i, word in enumerate(rest[:-1]) if re.fullmatch(r"-\w*c", word)), None)
            return [] if option is None else self.text_programs(rest[option + 1])
        if name == "find":
            return [p for i, word in enumerate(rest) if word in ("-exec", "-execdir") for p in self.programs(rest[i + 1 :])]
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
    """With the functions of what it sources, which is looked for among `scripts` by its name."""
    shell = Shell(open(path).read())
    names = {os.path.basename(c.words[1]) for c in shell.commands if c.words[0] in (".", "source") and c.words[1:]}
    return Script(shell.commands, shell.functions, [shell_script(p, scripts) for p in scripts if os.path.basename(p) in names])


def makefile(path):
    """Make itself expands the recipes of all targets with a plain name, and says from which line each is."""
    text, line, commands = open(path).read(), 1, {}
    targets = re.findall(r"^([a-z][a-z-]*):(?!=)", text, re.M)
    env = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    harmless = re.sub(r"^\t\+", "\t", text.replace("$(MAKE)", "make"), flags=re.M)  # -n runs such lines all the same
    run = ["make", "-f", "-", "-nBk", "--trace", "--no-print-directory", *targets]
    out = subprocess.run(run, cwd=os.path.dirname(path) or ".", env=env, input=harmless, stdout=subprocess.PIPE, text=True, check=False).stdout
    for row in re.sub(r"\\\n\s*", " ", out).split("\n"):
        found = re.match(r"[\w./-]+:(\d+): (?:update )?target ", row)
        if found:
            line = int(found[1])
        elif row:
            for command in Shell(row, line).commands:
                commands.setdefault((line, command.words[0]), command)
    for number, row in enumerate(text.split("\n"), 1):
        for inner in re.findall(r"\$\(shell (.*)\)", row):
            for command in Shell(re.sub(r"\$\(\w+\)", "$x", inner), number).commands:
                commands.setdefault((number, command.words[0]), command)
    return Script(list(commands.values()))


def main(paths):
    sources = [p for p in paths if p.endswith(".c")]
    makefiles = [p for p in paths if os.path.basename(p) == "Makefile"]
    scripts = [p for p in paths if p not in sources + makefiles and open(p).read(2) == "#!" or p.endswith(".sh")]
    found, hidden = set(), []
    for path in makefiles + scripts:
        script = makefile(path) if path in makefiles else shell_script(path, scripts)
        found |= {(path, command.line, p) for command in script.commands for p in script.programs(command.words)}
    found |= programs_of(sources, Script([]).text_programs, hidden)
    for path in paths:
        for number, row in enumerate(open(path), 1):
            found |= {(path, number, p) for p in EXAMPLE.findall(row)}
    words = subprocess.run(["bash", "-c", "compgen -b; compgen -k"], stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    for path, line, program in sorted(found):
        if program not in words and program != ARGUMENTS and not program.startswith("-"):
            print(f"{path}:{line} {program}")
    for place in hidden:
        print(place, file=sys.stderr)
    return 1 if hidden else 0


sys.exit(main(sys.argv[1:]))
