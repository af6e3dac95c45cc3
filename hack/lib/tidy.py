#!/usr/bin/env python3
"""Runs clang-tidy over the sources of the programs:   hack/lib/tidy.py [FILE...]

A file that was clean is not looked at again until it changes, or a header of ours that it includes, or .clang-tidy, or
how it is compiled. The tests are left out: they would double the time, and find less.
"""

import concurrent.futures
import functools
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "dev"
STAMPS = ROOT / "build" / "tidy"
TIDY = "clang-tidy-19"
PARTS = ("src", "operator", "metrics-adapter", "gateway", "tools")


def main():
    if not shutil.which(TIDY):
        sys.exit(f"tidy: {TIDY} is missing; see: hack/deps install lint")
    started = time.monotonic()
    commands = compile_commands()
    wanted = {pathlib.Path(name).resolve() for name in sys.argv[1:]} or commands.keys()
    unknown = wanted - commands.keys()
    if unknown:
        sys.exit(f"tidy: not compiled by any of {', '.join(PARTS)}: {', '.join(map(str, sorted(unknown)))}")
    STAMPS.mkdir(parents=True, exist_ok=True)
    common = (ROOT / ".clang-tidy").read_bytes() + subprocess.run([TIDY, "--version"], stdout=subprocess.PIPE).stdout
    keys = {file: key(file, commands[file], common) for file in wanted}
    stale = sorted(file for file in wanted if not (STAMPS / keys[file]).exists())
    # The long ones first, so that no processor waits for one of them at the end.
    stale.sort(key=lambda file: ("boost/" in texts_of(file), file.stat().st_size), reverse=True)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        failed = [file for file, clean in zip(stale, pool.map(check, stale)) if not clean]
    for file in set(stale) - set(failed):
        (STAMPS / keys[file]).touch()
    if not sys.argv[1:]:
        forget(set(keys.values()))
    print(f"tidy: {len(stale)} of {len(wanted)} files looked at in {time.monotonic() - started:.0f} s, "
          f"{len(failed)} with findings")
    return 1 if failed else 0


def compile_commands():
    """File → how it is compiled. CMake keeps the list; it takes a second."""
    subprocess.run(["cmake", "--preset", "dev"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    entries = json.loads((BUILD / "compile_commands.json").read_text())
    folders = [ROOT / part for part in PARTS]
    return {file: entry["command"] for entry in entries
            if any((file := pathlib.Path(entry["file"])).is_relative_to(folder) for folder in folders)}


def key(file, command, common):
    digest = hashlib.sha256(common + command.encode())
    for path in sorted(closure(file)):
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


@functools.cache
def closure(file):
    """The file and all of ours that it includes, in the end."""
    found, ahead = {file}, [file]
    while ahead:
        news = included(ahead.pop()) - found
        found |= news
        ahead += news
    return found


@functools.cache
def included(file):
    names = re.findall(r'^\s*#\s*include\s+"([^"]+)"', file.read_text(), re.MULTILINE)
    places = [folder / name for name in names for folder in (file.parent, ROOT / "src", ROOT)]
    return {place.resolve() for place in places if place.is_file()}


def texts_of(file):
    return "".join(path.read_text() for path in closure(file))


def check(file):
    done = subprocess.run([TIDY, "-p", BUILD, "--quiet", file], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        said = done.stdout.replace(f"{ROOT}/", "").strip() or done.stderr.strip()
        print(said, flush=True)
    return done.returncode == 0


def forget(current):
    """Removes the stamps of what files were before."""
    for stamp in STAMPS.iterdir():
        if stamp.name not in current:
            stamp.unlink()


if __name__ == "__main__":
    sys.exit(main())
