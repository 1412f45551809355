# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""Programs that C sources run: by system(), popen(), exec and posix_spawn, and by functions that
pass a parameter to these.

Relies on the layout of .clang-format: a function's braces are in the first column.
"""
import re
from collections import namedtuple

from shell import UNKNOWN

# name is "" for the text outside of functions
Function = namedtuple("Function", "path line static name parameters body")
# at: index of the command among the arguments; shell: it is a text for the shell; whole: all of it
Runner = namedtuple("Runner", "at shell whole")

STRING = r'"((?:[^"\\]|\\.)*)"'
QUOTE_OR_COMMENT = re.compile(STRING + r"|'(?:[^'\\]|\\.)+'|/\*.*?\*/|//[^\n]*", re.S)
FUNCTION = re.compile(r"^(static )?[\w *()]*?\b(\w+)\(([^;{}]*?)\)\n\{\n(.*?)^\}", re.M | re.S)
PART = re.compile(STRING + r"|([A-Za-z_]\w*)|.", re.S)
CONVERSION = re.compile(r"%[-+ #0-9.*hljzt]*[a-zA-Z]")
ESCAPES = {"n": "\n", "t": "\t", "0": ""}
FIRST_PARAMETER = 0xE000  # in a text: a character for each parameter of a function

RUNNERS = {name: Runner(0, True, True) for name in ("system", "popen")}
RUNNERS.update({name: Runner(1, False, False) for name in ("posix_spawn", "posix_spawnp")})
EXEC = "execl execle execlp execv execve execvp execvpe"
RUNNERS.update({name: Runner(0, False, False) for name in EXEC.split()})


def blank(text):
    return re.sub(r"[^\n]", " ", text)


def functions_of(path):
    text = open(path).read()
    text = QUOTE_OR_COMMENT.sub(lambda m: m[0] if m[0][0] == '"' else blank(m[0]), text)
    for m in FUNCTION.finditer(text):
        declared = re.sub(r"\[\w*\]", "", m[3]).split(",")
        parameters = [(re.findall(r"\w+", p) or [""])[-1] for p in declared]
        yield Function(path, text.count("\n", 0, m.start(4)) + 1, m[1], m[2], parameters, m[4])
    yield Function(path, 1, None, "", [], FUNCTION.sub(lambda m: blank(m[0]), text))


def arguments(text, start):
    """Arguments of a call whose bracket opens before `start`."""
    args, depth = [""], 0
    for part in PART.finditer(text, start):
        depth += (part[0] in "([{") - (part[0] in ")]}")
        if depth < 0:
            break
        if part[0] == "," and not depth:
            args.append("")
        else:
            args[-1] += part[0]
    return [arg.strip() for arg in args]


def strings(arg):
    found = re.findall(STRING, arg, re.S)
    return [re.sub(r"\\(.)", lambda m: ESCAPES.get(m[1], m[1]), s) for s in found]


def literal(arg):
    """Adjacent strings joined; names between them are macros. None without a string."""
    parts = [m[0] for m in PART.finditer(arg) if m[0][0] == '"' or m[2]]
    found = "".join(strings(p)[0] if p[0] == '"' else UNKNOWN for p in parts)
    return found if '"' in arg else None


def parameter(name, function):
    return chr(FIRST_PARAMETER + function.parameters.index(name))


def formatted(fmt, args, function):
    """The results of a format: one for each alternative string of an argument."""
    fillers = []
    for arg in args:
        known = [parameter(arg, function)] if arg in function.parameters else [UNKNOWN]
        fillers.append(strings(arg) or known)
    for n in range(max([1] + [len(f) for f in fillers])):
        rest = iter(fillers)
        yield CONVERSION.sub(lambda _: (next(rest, [UNKNOWN]) * (n + 1))[n], fmt)


def texts_of(args, function):
    """Possible values of the first of these arguments; the others are for its conversions. Empty
    when they are unknown."""
    if literal(args[0]) is not None:
        return list(formatted(literal(args[0]), args[1:], function))
    name = (re.findall(r"[A-Za-z_]\w*", args[0]) or [""])[0]
    if name in function.parameters:
        return [parameter(name, function)]
    return written(name, function) + initial(name, function)


def written(name, function):
    """Texts that a printf writes to a variable: snprintf(name, ...), name = mem_printf(...)."""
    found = []
    for m in re.finditer(rf"(\b{name} =\s+)?\b\w*printf\(", function.body):
        args = arguments(function.body, m.end())
        first = name in re.findall(r"\w+", args[0])
        for i in range(first, len(args)):
            if (m[1] or first) and (literal(args[i]) or args[i] in function.parameters):
                found += texts_of(args[i:], function)
                break
    return found


def initial(name, function):
    """name = "...", or the first element of name[] = { "...", }"""
    found = re.search(rf"\b{name}(?:\[\w*\])* =\s+(?:\{{\s*)?{STRING}", function.body)
    return strings(found[0])[:1] if found else []


def runs_of(function, runners):
    """(line, runner's name, runner, possible texts) of each call of a runner."""
    calls = re.compile(r"\b(%s)\(" % "|".join({name for _, name in runners}))
    for m in calls.finditer(function.body):
        runner = runners.get((function.path, m[1])) or runners.get((None, m[1]))
        if runner and (function.name or m[1] in RUNNERS):
            line = function.line + function.body.count("\n", 0, m.start())
            args = arguments(function.body, m.end())[runner.at :]
            yield line, m[1], runner, texts_of(args or [""], function)


def programs_of(paths, programs, hidden):
    """{(path, line, program)}; programs(text) returns the programs of a text for the shell. Calls
    with an unknown text are added to `hidden`."""
    functions = [f for path in paths for f in functions_of(path)]
    runners, known = {(None, name): runner for name, runner in RUNNERS.items()}, 0
    while known != len(runners):  # a function that passes its parameter on is a runner too
        known, found = len(runners), set()
        hidden.clear()
        for f in functions:
            for line, name, runner, texts in runs_of(f, dict(runners)):
                if runner.whole and not texts:
                    hidden.append(f"{f.path}:{line}: the text that {name}() runs is not a literal")
                for text in texts:
                    for program in programs(text) if runner.shell else [text.split("/")[-1]]:
                        at = ord(program[:1] or UNKNOWN) - FIRST_PARAMETER
                        if 0 <= at < len(f.parameters):
                            place = (f.path if f.static else None, f.name)
                            whole = runner.whole and text == program
                            runners.setdefault(place, Runner(at, runner.shell, whole))
                        else:
                            found.add((f.path, line, program))
    return found
