#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""
Checks dependencies between files of user/, by the symbols of their objects and by their includes.

circles.py files BUILD    no circle of calls between the files of a folder
circles.py folders BUILD  no call or include of a folder that is further left in the Makefile's
                          MODULES

Prints violations; exit status 1 when there are any.
"""
import pathlib
import re
import subprocess
import sys


def modules():
    return re.search(r"^MODULES := (.*)$", pathlib.Path("Makefile").read_text(), re.M).group(1).split()


def symbols(build):
    """{source: (defined, undefined)}: the symbols of its object."""
    sources = sorted(pathlib.Path("user").glob("*/*.c"))
    objects = {f"{build}/obj/{source.with_suffix('.o')}": source for source in sources}
    found = {source: (set(), set()) for source in sources}
    nm = subprocess.run(["nm", "-gA", *objects], stdout=subprocess.PIPE, text=True, check=True)
    for line in nm.stdout.splitlines():
        name, words = line.split(":")[0], line.split()
        found[objects[name]][words[-2] == "U"].add(words[-1])
    return found


def calls(build):
    """{source: {source that it calls: one symbol}}"""
    found = symbols(build)
    definer = {symbol: source for source, (defined, _) in found.items() for symbol in defined}
    return {
        source: {
            definer[s]: s
            for s in sorted(undefined, reverse=True)
            if definer.get(s, source) != source
        }
        for source, (_, undefined) in found.items()
    }


def shortest_circle(edges, start):
    """The files on the shortest path from start back to start, or []."""
    before, queue = {}, [start]
    for node in queue:
        for target in edges[node]:
            if target == start:
                path = [start]
                while node != start:
                    path.insert(0, node)
                    node = before[node]
                return [start] + path
            if target not in before:
                before[target] = node
                queue.append(target)
    return []


def reach(edges, start):
    seen, queue = set(), [start]
    for node in queue:
        new = set(edges[node]) - seen
        seen |= new
        queue += new
    return seen


def circles(edges):
    """One circle for each group of files that depend on each other."""
    reached = {node: reach(edges, node) for node in edges}
    done = set()
    for node in edges:
        if node in reached[node] and node not in done:
            done |= {other for other in reached[node] if node in reached[other]}
            yield shortest_circle(edges, node)


def check_files(needs):
    for folder in modules():
        inside = {source: {t: s for t, s in targets.items() if t.parent.name == folder}
                  for source, targets in needs.items() if source.parent.name == folder}
        for path in circles(inside):
            yield f"{path[0]}" + "".join(
                f" -> {b.name} ({inside[a][b]})" for a, b in zip(path, path[1:])
            )


def check_folders(needs):
    rank = {folder: i for i, folder in enumerate(modules())}
    for source, targets in needs.items():
        for target, symbol in targets.items():
            if rank[target.parent.name] < rank[source.parent.name]:
                yield f"{source} calls {symbol} of {target}"
    for source in sorted(pathlib.Path("user").glob("*/*.[ch]")):
        for folder, header in re.findall(r'^#include "(\w+)/(.*)"', source.read_text(), re.M):
            if rank.get(folder, len(rank)) < rank[source.parent.name]:
                yield f"{source} includes {folder}/{header}"


def main():
    check = {"files": check_files, "folders": check_folders}[sys.argv[1]]
    wrong = list(check(calls(sys.argv[2])))
    print("\n".join(wrong), end="\n" if wrong else "")
    return bool(wrong)


sys.exit(main())
