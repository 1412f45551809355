# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""Finds the simple commands in shell text, with as much of the syntax as this tree uses."""
import re
from collections import namedtuple

UNKNOWN = "\0"  # in a word: stands for an expansion
ARGUMENTS = "\1"  # stands for "$@"

# function: the function that contains the command, or None
Command = namedtuple("Command", "line words function")

BLANK = re.compile(r"([ \t]|\\\n)+|(?<!\S)#[^\n]*")
OPERATOR = re.compile(r"\n|;;|;&|&&|\|\||\|&|[;&|()]")
REDIRECTION = re.compile(r"(?:\d+|\{\w+\})?(<<<|<<-?|>>|>\||<>|>&|<&|&>>?|[<>])(?!\()")
BEFORE_COMMAND = {"if", "then", "else", "elif", "do", "while", "until", "!", "time", "fi", "done"}
NOT_COMMANDS = {"for", "select", "case", "function"}
PLAIN = re.compile(r"[^\s;&|()<>'\"`$\\]+")
EXPANSION = re.compile(r"\$(\w+|[@*#?$!-])")
ARRAY = re.compile(r"[A-Za-z_]\w*\+?=\(")


class Shell:
    def __init__(self, text, line=1):
        self.text, self.pos, self.first_line = text, 0, line
        self.commands, self.functions = [], set()
        self.heredocs, self.braces, self.defined = [], [], None
        self.parse(None)

    def line(self):
        return self.first_line + self.text.count("\n", 0, self.pos)

    def at(self, prefix):
        return self.text.startswith(prefix, self.pos)

    def accept(self, pattern):
        found = pattern.match(self.text, self.pos)
        if found:
            self.pos = found.end()
        return found

    def skip_past(self, mark):
        start, end = self.pos, self.text.find(mark, self.pos)
        self.pos = len(self.text) if end < 0 else end + len(mark)
        return self.text[start : self.pos - len(mark) if end >= 0 else None]

    def parse(self, end):
        """Commands to the end of the text, or past the ")" that closes a substitution."""
        words, line, depth = [], 0, 0
        in_pattern = []  # of every open `case`

        def flush():
            if words and words[0] not in NOT_COMMANDS:
                function = next((name for name in reversed(self.braces) if name), None)
                self.commands.append(Command(line, tuple(words), function))
            words.clear()

        while True:
            operator, word = self.token()
            patterns = in_pattern and in_pattern[-1]
            if not operator and word is None:
                return flush()
            if operator and operator == end and not depth and not patterns:
                return flush()
            if patterns:
                if operator == ")":
                    in_pattern[-1] = False
                elif word == "esac":
                    in_pattern.pop()
            elif operator == "(" and (self.at("(") and not words or words == ["for"]):
                self.skip_past("))")  # arithmetic
                flush()
            elif operator == "(" and len(words) == 1 and self.at(")"):
                self.pos += 1
                self.defined = words.pop()
                self.functions.add(self.defined)
            elif operator:
                flush()
                depth += (operator == "(") - (operator == ")")
                if operator in (";;", ";&"):
                    in_pattern[-1] = True
            elif words or word not in BEFORE_COMMAND | {"{", "}", "[[", "esac"}:
                line = line if words else self.line()
                words.append(word)
                if len(words) == 3 and words[0] == "case":
                    in_pattern.append(True)
                    words.clear()
            elif word == "{":
                self.braces.append(self.defined)
                self.defined = None
            elif word == "}":
                self.braces.pop()
            elif word == "esac":
                in_pattern.pop()
            elif word == "[[":
                self.condition()

    def token(self):
        """(operator, None), (None, word), or (None, None) at the end. Skips redirections."""
        while True:
            if self.accept(BLANK):
                continue
            redirection = self.accept(REDIRECTION)
            if redirection:
                self.accept(BLANK)
                quoted = self.text[self.pos : self.pos + 1] in "'\"\\"
                target = self.word()
                if redirection[1] in ("<<", "<<-"):
                    self.heredocs.append((target, quoted))
                continue
            operator = None if self.at("<(") or self.at(">(") else self.accept(OPERATOR)
            if operator and operator[0] == "\n":
                self.read_heredocs()
            if operator:
                return operator[0], None
            return None, self.word() if self.pos < len(self.text) else None

    def word(self):
        value = ""
        while self.pos < len(self.text):
            array = not value and self.accept(ARRAY)
            plain = self.accept(PLAIN)
            if array:
                while self.token() != (")", None) and self.pos < len(self.text):
                    pass
                value += array[0] + ")"
            elif plain:
                value += plain[0]
            elif self.at("\\"):
                value += self.text[self.pos + 1 : self.pos + 2]
                self.pos += 2
            elif self.at("'") or self.at("$'"):
                self.skip_past("'")
                value += self.skip_past("'")
            elif self.at('"'):
                self.pos += 1
                value += self.quoted('"')
            elif self.at("$") or self.at("`") or self.at("<(") or self.at(">("):
                value += self.expansion()
            else:
                break
        return value

    def quoted(self, end):
        """The text up to an unescaped `end`, with its expansions."""
        value = ""
        while self.pos < len(self.text) and not self.at(end):
            if self.at("\\"):
                value += self.text[self.pos + 1 : self.pos + 2]
                self.pos += 2
            elif self.at("$") or self.at("`"):
                value += self.expansion()
            elif end == "}" and (self.at("'") or self.at('"')):
                value += self.word()
            else:
                value += self.text[self.pos]
                self.pos += 1
        self.pos += 1
        return value

    def expansion(self):
        simple = self.accept(EXPANSION)
        if simple:
            return ARGUMENTS if simple[1] == "@" else UNKNOWN
        if self.at("$(("):
            self.skip_past("))")
        elif self.at("${"):
            self.pos += 2
            self.quoted("}")
        elif self.at("`"):
            self.pos += 1
            line = self.line()
            self.commands += Shell(self.skip_past("`"), line).commands
        elif self.at("$(") or self.at("<(") or self.at(">("):
            self.pos += 2
            self.parse(")")
        else:
            self.pos += 1
            return "$"
        return UNKNOWN

    def condition(self):
        """The rest of [[ ... ]]."""
        while self.pos < len(self.text):
            self.accept(BLANK)
            if self.accept(re.compile(r"\]\](?!\S)|\]\](?=[;)])")):
                return
            if not self.accept(re.compile(r"[;&|()<>\n]")):
                self.word()

    def read_heredocs(self):
        for end, quoted in self.heredocs:
            body_line, body = self.line(), ""
            while self.pos < len(self.text):
                row = self.skip_past("\n")
                if row.lstrip("\t") == end:
                    break
                body += row + "\n"
            if not quoted:
                inner = Shell("", body_line)
                inner.text = body
                inner.quoted("\2")
                self.commands += inner.commands
        self.heredocs = []
