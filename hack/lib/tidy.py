#!/usr/bin/env python3
"""Runs clang-tidy over the sources of the programs:   hack/lib/tidy.py [FILE...]

A file that was clean is not looked at again until it changes, or a header of ours that it includes, or .clang-tidy, or
how it is compiled; the cache of the user remembers it for all checkouts. Most of the time goes into the headers of
libraries, so files are looked at in batches, each as one translation unit. Where a batch is not clean, its files are
looked at one by one. The tests are left out: they would double the time, and find less.
"""

import concurrent.futures
import functools
import hashlib
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "dev"
CACHE = pathlib.Path(os.environ.get("MCPFLEET_CACHE") or
                     pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "mcpfleet")
STAMPS = CACHE / "tidy"
REMEMBERED = 30 * 24 * 3600  # seconds
MAX_BATCH = 10
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
    stale = sorted(file for file in wanted if not remembered(STAMPS / keys[file]))
    clean = look_at(stale, commands)
    for file in clean:
        (STAMPS / keys[file]).touch()
    forget()
    print(f"tidy: {len(stale)} of {len(wanted)} files looked at in {time.monotonic() - started:.0f} s, "
          f"{len(stale) - len(clean)} with findings")
    return 0 if len(clean) == len(stale) else 1


def compile_commands():
    """File → how it is compiled. CMake keeps the list; it takes a second."""
    subprocess.run(["cmake", "--preset", "dev"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    entries = json.loads((BUILD / "compile_commands.json").read_text())
    folders = [ROOT / part for part in PARTS]
    return {file: flags_of(entry["command"]) for entry in entries
            if any((file := pathlib.Path(entry["file"])).is_relative_to(folder) for folder in folders)}


def flags_of(command):
    """The compiler's flags, without its name, its input and its output."""
    words = shlex.split(command)[1:]
    output = words.index("-o")
    return tuple(words[:output] + words[output + 4:])  # -o OUTPUT -c INPUT


def key(file, flags, common):
    digest = hashlib.sha256(common + " ".join(flags).replace(str(ROOT), ".").encode())
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


def look_at(files, commands):
    """Those of the files that are clean; says what it finds in the others."""
    all_batches = batches(files, commands)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = zip(all_batches, pool.map(lambda batch: len(batch) > 1 and look_at_batch(batch, commands), all_batches))
        clean, alone = set(), []
        for batch, good in results:
            if good:
                clean.update(batch)
            else:
                alone += batch
        clean.update(file for file, good in zip(alone, pool.map(lambda file: look_at_file(file, commands), alone)) if good)
    return clean


def batches(files, commands):
    """The files in groups that may be one translation unit: compiled alike, and nothing that one declares for itself means
    something else in another. The long ones come first, so that no processor waits for one of them at the end."""
    found = []
    weight = {file: ("boost/" in texts_of(file), file.stat().st_size) for file in files}
    for file in sorted(files, key=weight.get, reverse=True):
        names = names_of(file)
        kind = commands[file], weight[file][0], {name: what for name, what in names.items() if what.startswith("namespace")}
        for batch in found:
            if batch["kind"] == kind and len(batch["files"]) < MAX_BATCH and may_join(names, batch["names"]):
                break
        else:
            batch = {"kind": kind, "files": [], "names": {}}
            found.append(batch)
        batch["files"].append(file)
        batch["names"].update(names)
    return [batch["files"] for batch in found]


def may_join(names, others):
    return all(others[name] == names[name] and re.match("using|namespace", names[name])
               for name in names.keys() & others.keys())


def names_of(file):
    """What the file declares for itself alone: each name in its unnamed namespaces with the line that declares it. (Our
    format indents nothing there.)"""
    names, scopes = {}, []
    for line in file.read_text().splitlines():
        if opened := re.match(r"(?:inline )?namespace\b ?([\w:]*) *\{", line):
            scopes.append(opened[1])
        elif line.startswith("}  // namespace"):
            scopes.pop()
        elif "" in scopes or line.startswith("namespace "):
            if name := DECLARED.match(line):
                names["::".join(scopes), name[1] or name[2]] = line
    return names


DECLARED = re.compile(r"(?:namespace|using|class|struct|union|enum class|enum) (?:[\w:]*::)?(\w+)"
                      r"|[A-Za-z][^=({]*?[ >*&](\w+)(?:\[.*\])?\s*(?:\(|\{|=|;|$)")


def look_at_batch(files, commands):
    """Headers first: what a file of the batch says of its own names is then no matter to the headers of the next."""
    headers = dict.fromkeys(line for file in files for line in file.read_text().splitlines() if HEADER.match(line))
    with tempfile.NamedTemporaryFile("w", dir=STAMPS, suffix=".cc") as unit:
        unit.writelines(f"{line}  // NOLINT(readability-duplicate-include)\n" for line in headers)
        unit.writelines(f'#include "{file}"  // NOLINT(bugprone-suspicious-include)\n' for file in files)
        unit.flush()
        return tidy(unit.name, commands[files[0]]).returncode == 0


HEADER = re.compile(r'#include ["<].*\.h(?:pp)?[">]')


def look_at_file(file, commands):
    done = tidy(file, commands[file])
    if done.returncode != 0:
        said = done.stdout.replace(f"{ROOT}/", "").strip() or done.stderr.strip()
        print(said, flush=True)
    return done.returncode == 0


def tidy(file, flags):
    return subprocess.run([TIDY, f"--config-file={ROOT / '.clang-tidy'}", "--quiet", file, "--", *flags],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)


def remembered(stamp):
    if not stamp.exists():
        return False
    stamp.touch()
    return True


def forget():
    """Removes the stamps that nobody asked for in a long time."""
    for stamp in STAMPS.iterdir():
        if time.time() - stamp.stat().st_mtime > REMEMBERED:
            stamp.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
