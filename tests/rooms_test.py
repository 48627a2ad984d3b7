#!/usr/bin/env python3
"""The drawing stays true: who includes whom under sim/ is what sim/CMakeLists.txt declares.

Each sim_room(NAME USES ...) line is the table. A file includes headers of its own room and of rooms that its room
uses, directly or through others, and each room that a line names is included by some file. The README's table tells of
the same rooms, in the same order. Third-party and system headers stay where they are needed, and what would make two
runs differ (wall clocks, std's random numbers, floating point, the walk of a hash table, the order of addresses)
stays out of the rooms that decide. The second half of this file checks the checker: each rule has an example
that it must report.
"""
import pathlib
import re
import sys
import tempfile
import unittest

TOP = pathlib.Path(__file__).resolve().parent.parent

OUTER = {"app", "report", "scenario", "sweep"}  # what they do happens before a run or after it

# Header (as a prefix) -> where it may be included: rooms, or single files.
CONFINED = {
    "yaml-cpp/": {"scenario"},
    "boost/": {"scenario"},
    "CLI/": {"app/options.cc"},
    "fmt/": {"app"},
    "nlohmann/": {"app", "report", "page", "search", "sweep"},
    "nettle/": {"report"},
    "sys/": {"app", "sweep", "report/held_lock.cc"},
    "unistd.h": {"app", "report", "sweep"},
    "spawn.h": {"app"},
    "csignal": {"app", "sweep/workers.cc"},
    "cstdlib": {"app"},
    "ctime": {"app"},
    "cmath": OUTER,
    "filesystem": OUTER | {"page", "play"},
    "fstream": OUTER | {"page", "workload/trace_csv.cc"},
    "iostream": {"app"},
    "chrono": {"app", "base/time.h", "workload/trace_csv.cc"},  # elsewhere, time comes from base/time.h
    # Threads, and what would draw or hash differently elsewhere: nowhere.
    "thread": set(),
    "mutex": set(),
    "atomic": set(),
    "condition_variable": set(),
    "future": set(),
    "random": set(),
    "locale": set(),
}
LIBRARIES = tuple(prefix for prefix in CONFINED if prefix.endswith("/"))
ONE_FILE_ONLY = ("yaml-cpp/", "boost/program_options", "CLI/", "nettle/")

# What is forbidden in code, and in which rooms it is allowed all the same.
FORBIDDEN = [
    (r"\b(system|steady|high_resolution|utc|file)_clock\b", {"app"}, "a wall clock"),
    (r"\b(std::)?(gettimeofday|clock_gettime|localtime|gmtime|strftime)\b|\bstd::time\b|\btime\((0|NULL|nullptr)\)", {"app"},
     "a wall clock"),
    (r"\bs?rand\(|\brandom_device\b|\bmt19937|\bdefault_random_engine\b|\bstd::\w+_distribution\b", set(),
     "randomness that is not base/rng.h's"),
    (r"\bstd::(ranges::)?(shuffle|sample|random_shuffle)\b", set(), "an order that the standard leaves open"),
    (r"\b(double|float)\b", OUTER, "floating point in a room that decides"),
    (r"\bstd::(sqrt|pow|exp2?|log(2|10|1p)?|sin|cos|l?l?round|floor|ceil|l?l?rint)\b", OUTER,
     "libm, whose last bit depends on the machine"),
    (r"\bgetenv\b|\bsetlocale\b|\bgethostname\b|\bstd::locale\b", {"app"}, "the environment"),
    (r"\bstd::(multi)?(map|set)<(const )?[\w:]+( const)? ?\*", set(), "an order of addresses"),
    (r"\bstd::hash<[^>]*\*>|\breinterpret_cast<(std::)?u?intptr_t>", set(), "an address as a value"),
    (r"\bassert\(", set(), "assert, which is off in a release: SIM_CHECK"),
]

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)
NOT_CODE = re.compile(
    r'R"(?P<tag>[^()\s\\]*)\(.*?\)(?P=tag)"|//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])\'',
    re.DOTALL)


def declared_edges(cmake_text):
    """{room: the rooms its sim_room() line names}."""
    return {match.group(1): (match.group(2) or "").split() for match in
            re.finditer(r"^sim_room\(\s*(\w+)(?:\s+USES((?:\s+\w+)+))?\s*\)", cmake_text, re.MULTILINE)}


def declared_rooms(cmake_text):
    """{room: all the rooms it may use}, as sim_room() lines declare them; each line stands above its users."""
    allowed = {}
    for room, uses in declared_edges(cmake_text).items():
        allowed[room] = set(uses).union(*(allowed[used] for used in uses))
    return allowed


def documented_rooms(readme):
    """The rooms of the README's table `| Room | Owns |`, from top to bottom."""
    table = re.search(r"^\| Room \| Owns.*\n\|[-| ]+\n((?:\|.*\n)+)", readme, re.MULTILINE)
    rows = table.group(1).splitlines() if table else []
    return [room for row in rows for room in re.findall(r"`(\w+)`", row.split("|")[1])]


def code_of(text):
    """The text without comments, strings and includes, line for line."""
    blank = NOT_CODE.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)
    return re.sub(r"^[ \t]*#[ \t]*include[^\n]*", "", blank, flags=re.MULTILINE)


def line_at(text, offset):
    return text.count("\n", 0, offset) + 1


def may(where, file, room):
    return room in where or file in where


def check_include(sim, file, room, quote, header, allowed):
    if quote == '"':
        target, _, rest = header.partition("/")
        if not rest or not (sim / header).is_file():
            return f"'{header}' is no file under sim/"
        if target != room and target not in allowed[room]:
            return f"room {room} may not use {target}"
        return None
    for prefix, where in CONFINED.items():
        if (header.startswith(prefix) if prefix.endswith("/") else header == prefix) and not may(where, file, room):
            return f"<{header}> belongs into {', '.join(sorted(where)) or 'no room'}"
    if "/" in header and not header.startswith(LIBRARIES):
        return f"<{header}> is of a library that no room has"
    return None


def hash_walks(code, companion):
    """Places where a hash table is walked: what is declared unordered here or in the header, and then ranged over."""
    names = set(re.findall(r"\bstd::unordered_\w+<[^;{}()]*>\s+(\w+)\s*[;{=]", code + companion))
    for name in names:
        yield from re.finditer(r"\bfor \([^;()]*:\s*(?:[\w.]|->)*\b%s\)|\b%s\.c?begin\(" % (name, name), code)


def problems_of(sim):
    """Everything wrong under `sim`, as `room/file:line: what`."""
    allowed = declared_rooms((sim / "CMakeLists.txt").read_text())
    problems = []
    includers = {prefix: set() for prefix in ONE_FILE_ONLY}
    included = {room: set() for room in allowed}
    for path in sorted(sim.rglob("*")):
        file = path.relative_to(sim).as_posix()
        if path.suffix not in (".h", ".cc", ".cpp", ".hpp", ".c"):
            continue
        room = file.partition("/")[0]
        if room not in allowed:
            problems.append(f"{file}:1: '{room}' is not declared by a sim_room() line")
            continue
        text = path.read_text()
        code = code_of(text)
        if path.suffix == ".h" and not re.search(r"^#pragma once$", text, re.MULTILINE):
            problems.append(f"{file}:1: a header without #pragma once")
        for match in INCLUDE.finditer(text):
            quote, header = match.groups()
            included[room].add(header.partition("/")[0])
            problem = check_include(sim, file, room, quote, header, allowed)
            if problem:
                problems.append(f"{file}:{line_at(text, match.start())}: {problem}")
            for prefix in ONE_FILE_ONLY:
                if header.startswith(prefix):
                    includers[prefix].add(file)
        for pattern, where, what in FORBIDDEN:
            if not may(where, file, room):
                for match in re.finditer(pattern, code):
                    problems.append(f"{file}:{line_at(code, match.start())}: {what}: {match.group()}")
        header = path.with_suffix(".h")
        companion = code_of(header.read_text()) if path.suffix == ".cc" and header.is_file() else ""
        for match in hash_walks(code, companion):
            problems.append(f"{file}:{line_at(code, match.start())}: a walk over a hash table: {match.group()}")
    for room, uses in declared_edges((sim / "CMakeLists.txt").read_text()).items():
        for used in uses:
            if used not in included[room]:
                problems.append(f"CMakeLists.txt:1: room {room} declares that it uses {used}, and includes nothing of it")
    for prefix, files in includers.items():
        if len(files) > 1:
            problems.append(f"{min(files)}:1: {prefix} is known to more than one file: {', '.join(sorted(files))}")
    return problems


class TheHouse(unittest.TestCase):
    def test_the_rooms_use_what_they_declare_and_nothing_else(self):
        problems = problems_of(TOP / "sim")
        self.assertEqual(problems, [], "\n" + "\n".join("sim/" + problem for problem in problems))

    def test_the_readme_tells_of_the_same_rooms(self):
        rooms = list(declared_edges((TOP / "sim/CMakeLists.txt").read_text()))
        self.assertEqual(rooms, documented_rooms((TOP / "README.md").read_text()))

    def test_the_table_is_read(self):
        allowed = declared_rooms((TOP / "sim/CMakeLists.txt").read_text())
        self.assertGreaterEqual(len(allowed), 21)
        self.assertEqual(allowed["base"], set())
        self.assertEqual(allowed["raft"], {"node", "log", "observe", "protocol", "history", "base"})
        self.assertNotIn("kernel", allowed["broker"])
        self.assertNotIn("cluster", allowed["check"])


class TheChecker(unittest.TestCase):
    """Each rule, broken on purpose."""

    TABLE = ("sim_room(base)\nsim_room(kernel USES base)\nsim_room(log USES base)\nsim_room(raft USES log)\n"
             "sim_room(scenario USES raft)\nsim_room(app   USES scenario kernel)\n")
    # One file a room, that includes what the table says.
    NEEDED = {"base/a.h": "", "kernel/k.h": "base/a.h", "log/l.h": "base/a.h", "raft/needs.h": "log/l.h",
              "scenario/needs.h": "raft/needs.h", "app/needs.h": "scenario/needs.h kernel/k.h"}

    def problems(self, files):
        with tempfile.TemporaryDirectory() as folder:
            sim = pathlib.Path(folder)
            (sim / "CMakeLists.txt").write_text(self.TABLE)
            needed = {file: "#pragma once\n" + "".join(f'#include "{header}"\n' for header in headers.split())
                      for file, headers in self.NEEDED.items()}
            for file, text in {**needed, **files}.items():
                (sim / file).parent.mkdir(exist_ok=True)
                (sim / file).write_text(text)
            return problems_of(sim)

    def assert_reported(self, file, text, said, line=1):
        problems = self.problems({file: text})
        self.assertEqual(len(problems), 1, problems)
        self.assertTrue(problems[0].startswith(f"{file}:{line}: "), problems)
        self.assertIn(said, problems[0])

    def assert_fine(self, file, text):
        self.assertEqual(self.problems({file: text}), [])

    def test_rooms(self):
        self.assert_fine("raft/r.cc", '#include "base/a.h"\n')  # through log
        self.assert_reported("raft/r.cc", '\n#include "kernel/k.h"\n', "raft may not use kernel", line=2)
        self.assert_reported("base/b.cc", '#include "kernel/k.h"\n', "base may not use kernel")
        self.assert_reported("raft/r.cc", '  #  include "kernel/k.h"\n', "raft may not use kernel")
        self.assert_reported("raft/r.cc", '#include "base/nowhere.h"\n', "no file")
        self.assert_reported("base/b.cc", '#include "a.h"\n', "no file")
        self.assert_reported("attic/b.cc", "", "not declared")
        self.assert_reported("base/b.h", "", "#pragma once")

    def test_edges_that_nobody_needs(self):
        problems = self.problems({"app/needs.h": '#pragma once\n#include "kernel/k.h"\n'})
        self.assertEqual(problems, ["CMakeLists.txt:1: room app declares that it uses scenario, and includes nothing of it"])

    def test_the_rooms_of_a_readme(self):
        table = "| Room | Owns |\n|---|---|\n| `net`, `disk` | how `long` bytes take |\n| `log` | batches |\n\n| `other` | no |\n"
        self.assertEqual(["net", "disk", "log"], documented_rooms("Words.\n\n" + table))
        self.assertEqual([], documented_rooms("| `net` | no table of rooms |\n"))

    def test_headers_have_their_place(self):
        self.assert_fine("scenario/yaml.cc", "#include <yaml-cpp/parser.h>\n")
        self.assert_fine("app/options.cc", "#include <CLI/CLI.hpp>\n")
        self.assert_reported("app/other.cc", "#include <CLI/CLI.hpp>\n", "app/options.cc")
        self.assert_reported("app/other.cc", "#include <yaml-cpp/parser.h>\n", "scenario")
        self.assert_reported("raft/r.cc", "#include <fmt/format.h>\n", "app")
        self.assert_reported("raft/r.cc", "#include <absl/time.h>\n", "no room has")
        for header in ("random", "thread", "cmath", "chrono", "ctime", "fstream", "iostream", "unistd.h", "sys/time.h"):
            self.assert_reported("raft/r.cc", f"#include <{header}>\n", f"<{header}> belongs into")
        problems = self.problems({file: "#include <boost/program_options/parsers.hpp>\n"
                                  for file in ("scenario/a.cc", "scenario/b.cc")})
        self.assertEqual(len(problems), 1, problems)
        self.assertIn("more than one file: scenario/a.cc, scenario/b.cc", problems[0])

    def test_what_would_make_two_runs_differ(self):
        for code in ("auto t = std::chrono::steady_clock::now();", "std::mt19937_64 g;", "int x = rand();",
                     "std::uniform_int_distribution<int> d;", "std::shuffle(a, b, g);", "double x = 0;",
                     "auto y = std::log2(x);", "const char* h = getenv(x);", "std::set<Node*> nodes;",
                     "std::map<const raft::Node*, int> nodes;", "assert(x);",
                     "auto t = time(nullptr);"):
            with self.subTest(code):
                self.assert_reported("raft/r.cc", "\n\n" + code + "\n", "", line=3)
        self.assert_fine("app/clock.cc", "auto t = std::chrono::steady_clock::now();\n")
        self.assert_fine("raft/r.cc", "std::map<int, Node*> nodes; int randomly(); auto t = local_time(x);\n")

    def test_comments_and_strings_are_no_code(self):
        self.assert_fine("raft/r.cc", '// a double\n/* rand()\n double */\nauto s = "float \\" double";\n'
                                      'auto r = R"(assert(false))"; char c = \'"\'; int n = 1\'000; auto d = "double";\n')
        self.assert_reported("raft/r.cc", '// "\nauto c = \'"\'; double x; // "\n', "floating point", line=2)

    def test_walks_over_hash_tables(self):
        member = "#pragma once\nstruct R { std::unordered_map<int, std::vector<int>> by_id_; std::map<int, int> sorted_; };\n"
        walks = {"for (const auto& [id, x] : by_id_) f(x);\n": 1, "for (auto& x : self.by_id_) f(x);\n": 1,
                 "auto i = by_id_.begin();\n": 1, "auto i = by_id_.find(3); x = i != by_id_.end();\n": 0,
                 "for (const auto& [id, x] : sorted_) f(x);\n": 0}
        for code, count in walks.items():
            with self.subTest(code):
                self.assertEqual(len(self.problems({"raft/r.h": member, "raft/r.cc": '#include "raft/r.h"\n' + code})), count)


if __name__ == "__main__":
    sys.exit(0 if unittest.main(exit=False).result.wasSuccessful() else 1)
