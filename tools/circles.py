#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""
Which file of user/ needs which, by the symbols of its object and by its includes.

circles.py files BUILD    no circle of calls between the files of one folder
circles.py folders BUILD  no call and no include from a folder to one that stands left of it in the Makefile's MODULES

Prints what is wrong; exit status 1 when something is.
"""
import pathlib
import re
import subprocess
import sys


def modules():
    return re.search(r"^MODULES := (.*)$", pathlib.Path("Makefile").read_text(), re.M).group(1).split()


def symbols(build):
    """{source: (defined, undefined)} of the objects of all sources."""
    sources = sorted(pathlib.Path("user").glob("*/*.c"))
    objects = {f"{build}/obj/{source.with_suffix('.o')}": source for source in sources}
    found = {source: (set(), set()) for source in sources}
    nm = subprocess.run(["nm", "-gA", *objects], stdout=subprocess.PIPE, text=True, check=True)
    for line in nm.stdout.splitlines():
        name, words = line.split(":")[0], line.split()
        found[objects[name]][words[-2] == "U"].add(words[-1])
    return found


def calls(build):
    """{source: {source that it needs: one symbol}}"""
    found = symbols(build)
    home = {symbol: source for source, (defined, _) in found.items() for symbol in defined}
    return {source: {home[s]: s for s in sorted(undefined, reverse=True) if s in home and home[s] != source}
            for source, (_, undefined) in found.items()}


def shortest_circle(edges, start):
    """The files on the shortest way from start back to it, or []."""
    before, queue = {}, [start]
    for node in queue:
        for target in edges[node]:
            if target == start:
                way = [start]
                while node != start:
                    way.insert(0, node)
                    node = before[node]
                return [start] + way
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
    """One circle for each group of files that need each other."""
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
        for way in circles(inside):
            yield f"{way[0]}" + "".join(f" -> {b.name} ({inside[a][b]})" for a, b in zip(way, way[1:]))


def check_folders(needs):
    place = {folder: i for i, folder in enumerate(modules())}
    for source, targets in needs.items():
        for target, symbol in targets.items():
            if place[target.parent.name] < place[source.parent.name]:
                yield f"{source} calls {symbol} of {target}"
    for source in sorted(pathlib.Path("user").glob("*/*.[ch]")):
        for folder, header in re.findall(r'^#include "(\w+)/(.*)"', source.read_text(), re.M):
            if place.get(folder, len(place)) < place[source.parent.name]:
                yield f"{source} includes {folder}/{header}"


def main():
    check = {"files": check_files, "folders": check_folders}[sys.argv[1]]
    wrong = list(check(calls(sys.argv[2])))
    print("\n".join(wrong), end="\n" if wrong else "")
    return bool(wrong)


sys.exit(main())
