#!/usr/bin/env python3
"""Every C++ file is as clang-format 14 leaves it, and no line is longer than .clang-format says.

Versions of clang-format differ in what they make of a file, so it has to be this one (Debian: clang-format-14; .ci/setup
installs it). The formatter does not break strings: what is too long inside one is for its author to break. Raw strings are
left alone, their lines are what they say. To put a tree in order:  python3 tests/format_test.py --fix
"""
import concurrent.futures
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

TOP = pathlib.Path(__file__).resolve().parent.parent
VERSION = 14
RAW_STRING = re.compile(r'R"(?P<tag>[^()\s\\]*)\(.*?\)(?P=tag)"', re.DOTALL)


def sources(top):
    return sorted(path for room in ("sim", "tests") for path in (top / room).rglob("*") if path.suffix in (".h", ".cc"))


def limit(top):
    return int(re.search(r"^ColumnLimit: (\d+)$", (top / ".clang-format").read_text(), re.MULTILINE).group(1))


def formatter():
    """The clang-format of VERSION on this machine, or None."""
    for name in (f"clang-format-{VERSION}", "clang-format"):
        if shutil.which(name):
            told = subprocess.run([name, "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout
            if re.search(rf"version {VERSION}\.", told):
                return name
    return None


def run_formatter(files, *options):
    """What it says about the files, which are dealt out to as many processes as there are processors."""
    def one(share):
        return subprocess.run([formatter(), *options, *share], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout
    shares = [files[i::4] for i in range(4) if files[i::4]]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        return "".join(pool.map(one, shares))


def misformatted(files):
    said = run_formatter([str(file) for file in files], "--dry-run", "--style=file")
    return sorted({line.split(":", 1)[0] for line in said.splitlines() if "[-Wclang-format-violations]" in line})


def too_long(text, columns):
    """Numbers of the lines that are longer, but for those of raw strings."""
    inside = set()
    for raw in RAW_STRING.finditer(text):
        first = text.count("\n", 0, raw.start()) + 1
        inside.update(range(first, first + raw.group().count("\n") + 1))
    return [number for number, line in enumerate(text.split("\n"), 1) if len(line) > columns and number not in inside]


class TheTree(unittest.TestCase):
    def test_every_file_is_formatted(self):
        self.assertIsNotNone(formatter(), f"no clang-format {VERSION} here: .ci/setup tests installs it")
        files = misformatted(sources(TOP))
        self.assertEqual([], files, "\nput in order by: python3 tests/format_test.py --fix")

    def test_no_line_is_too_long(self):
        columns = limit(TOP)
        found = [f"{path.relative_to(TOP)}:{number}" for path in sources(TOP) for number in too_long(path.read_text(), columns)]
        self.assertEqual([], found)


class TheChecker(unittest.TestCase):
    def test_it_sees_what_is_not_formatted(self):
        self.assertIsNotNone(formatter(), f"no clang-format {VERSION} here: .ci/setup tests installs it")
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(TOP / ".clang-format", folder)
            good, bad = pathlib.Path(folder, "good.cc"), pathlib.Path(folder, "bad.cc")
            good.write_text("int f() {\n  return 1;\n}\n")
            bad.write_text("int f(){return 1;}\n")
            self.assertEqual([str(bad)], misformatted([good, bad]))

    def test_long_lines(self):
        self.assertEqual([2], too_long("short\nlonger than ten\n", 10))
        self.assertEqual([], too_long('R"(\nlonger than ten\n)"\n', 10))
        self.assertEqual([4], too_long('R"x(\nlonger than ten )"\n)x"\nlonger than ten\n', 10))


if __name__ == "__main__":
    if "--fix" in sys.argv:
        run_formatter([str(path) for path in sources(TOP)], "-i", "--style=file")
    else:
        sys.exit(0 if unittest.main(exit=False).result.wasSuccessful() else 1)
