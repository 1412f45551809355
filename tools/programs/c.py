# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""Programs that C sources run: by system(), popen(), exec and posix_spawn, also through functions of their own.

Relies on the layout of .clang-format: a function's braces stand in the first column.
"""
import re
from collections import namedtuple

from shell import UNKNOWN

Function = namedtuple("Function", "path line static name parameters body")

STRING = r'"((?:[^"\\]|\\.)*)"'
COMMENT = re.compile(STRING + r"|'(?:[^'\\]|\\.)+'|(/\*.*?\*/|//[^\n]*)", re.S)
FUNCTION = re.compile(r"^(static )?[\w *()]*?\b(\w+)\(([^;{}]*?)\)\n\{\n(.*?)^\}", re.M | re.S)
PART = re.compile(STRING + r"|([A-Za-z_]\w*)|.", re.S)
CONVERSION = re.compile(r"%[-+ #0-9.*hljzt]*[a-zA-Z]")
ESCAPES = {"n": "\n", "t": "\t", "0": ""}
FIRST_PARAMETER = 0xE000  # in a text: a character for each parameter of a function

# Function to: where the command is among its arguments, and whether it is a text for the shell.
RUNNERS = {"system": (0, True), "popen": (0, True), "posix_spawn": (1, False), "posix_spawnp": (1, False)}
RUNNERS.update({"exec" + variant: (0, False) for variant in ("l", "le", "lp", "v", "ve", "vp", "vpe")})


def functions_of(path):
    text = open(path).read()
    text = COMMENT.sub(lambda m: re.sub(r"[^\n]", " ", m[0]) if m[2] else m[0], text)
    for m in FUNCTION.finditer(text):
        parameters = [(re.findall(r"\w+", p) or [""])[-1] for p in re.sub(r"\[\w*\]", "", m[3]).split(",")]
        yield Function(path, text.count("\n", 0, m.start(4)) + 1, bool(m[1]), m[2], parameters, m[4])


def arguments(text, start):
    """Of a call whose bracket opens before `start`."""
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
    return [re.sub(r"\\(.)", lambda m: ESCAPES.get(m[1], m[1]), s) for s in re.findall(STRING, arg, re.S)]


def literal(arg):
    """Adjacent strings as one; names between them are macros. None without a string."""
    parts = [m[0] for m in PART.finditer(arg) if m[0][0] == '"' or m[2]]
    found = "".join("".join(strings(p)) if p[0] == '"' else UNKNOWN for p in parts)
    return found if '"' in arg else None


def parameter(name, function):
    return chr(FIRST_PARAMETER + function.parameters.index(name))


def formatted(fmt, args, function):
    """The texts that a format gives: one for each alternative string of an argument."""
    fillers = [strings(a) or [parameter(a, function) if a in function.parameters else UNKNOWN] for a in args]
    for n in range(max([1] + [len(f) for f in fillers])):
        rest = iter(fillers)
        yield CONVERSION.sub(lambda _: (next(rest, [UNKNOWN]) * (n + 1))[n], fmt)


def texts_of(args, function):
    """What the first of these arguments may be, the others being for its conversions; nothing when that is hidden."""
    if literal(args[0]) is not None:
        return list(formatted(literal(args[0]), args[1:], function))
    name = (re.findall(r"[A-Za-z_]\w*", args[0]) or [""])[0]
    if name in function.parameters:
        return [parameter(name, function)]
    return variable(name, function)


def variable(name, function):
    """What printf and the like write to it, or the first string that it is initialized with."""
    found = []
    for m in re.finditer(rf"(\b{name} = )?\b\w*printf\(", function.body):
        args = arguments(function.body, m.end())
        written = name in re.findall(r"\w+", args[0])
        fmt = next((i for i, a in enumerate(args) if i >= written and (literal(a) or a in function.parameters)), None)
        if (m[1] or written) and fmt is not None:
            found += texts_of(args[fmt:], function)
    return found + strings("".join(re.findall(rf'\b{name}(?:\[\w*\])* = (?:\{{\s*)?("(?:[^"\\]|\\.)*")', function.body)))[:1]


def programs_of(paths, programs, hidden):
    """{(path, line, program)}; programs(text) gives the programs of a text for the shell.

    Calls whose whole text cannot be seen are told in `hidden`.
    """
    functions = [f for path in paths for f in functions_of(path)]
    runners, known = {(None, name): how for name, how in RUNNERS.items()}, 0
    while known != len(runners):
        known, found = len(runners), set()
        hidden.clear()
        call = re.compile(r"\b(%s)\(" % "|".join({name for _, name in runners}))
        for f in functions:
            for m in call.finditer(f.body):
                at, shell = runners.get((f.path, m[1])) or runners.get((None, m[1])) or (None, None)
                if at is None:
                    continue
                line = f.line + f.body.count("\n", 0, m.start())
                texts = texts_of(arguments(f.body, m.end())[at:], f)
                if shell and not texts:
                    hidden.append(f"{f.path}:{line}: cannot see what {m[1]}() runs")
                for text in texts:
                    for program in programs(text) if shell else [text.split("/")[-1]]:
                        number = ord(program[:1] or UNKNOWN) - FIRST_PARAMETER
                        if 0 <= number < len(f.parameters):
                            whole = shell and (text == program or "; " in text)
                            runners.setdefault((f.path if f.static else None, f.name), (number, whole))
                        else:
                            found.add((f.path, line, program))
    return found
