#!/usr/bin/env python3
"""An installed kraftsim: its files, its manual page and completions, and that it works from any folder without the sources.

The build of the program under test is installed into a temporary folder. The package for Debian is made, and looked at
by lintian, if KRAFTSIM_PACKAGE is set: that strips and packs, which takes a while.
"""
import gzip
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from kraftsim import PROGRAM
from others import NODE, TOP, needs_npm, needs_program

BUILD = pathlib.Path(PROGRAM).resolve().parent


def run(*command, **more):
    return subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600, **more)


@unittest.skipIf(not (BUILD / "generated/kraftsim.bash").exists(), "what is installed is not built: cmake --build BUILD --target installed_files")
class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        cls.prefix = cls.folder / "usr"
        done = run("cmake", "--install", BUILD, "--prefix", cls.prefix)
        assert done.returncode == 0, done.stdout + done.stderr
        cls.program = cls.prefix / "bin/kraftsim"
        cls.empty = cls.folder / "empty"
        cls.empty.mkdir()

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def test_files_are_where_the_hierarchy_standard_has_them(self):
        for name in ("bin/kraftsim", "share/kraftsim/plots/draw.py", "share/kraftsim/scenarios/order-flow.yaml",
                     "share/kraftsim/kraftsim-v1.schema.json", "share/bash-completion/completions/kraftsim",
                     "share/zsh/vendor-completions/_kraftsim", "share/fish/vendor_completions.d/kraftsim.fish", "share/doc/kraftsim/copyright"):
            self.assertTrue((self.prefix / name).is_file(), name)
        self.assertEqual((self.prefix / "share/kraftsim/kraftsim-v1.schema.json").read_text(),
                         (TOP / "scenarios/kraftsim-v1.schema.json").read_text())
        left_over = [path for path in self.prefix.rglob("*") if path.name == "__pycache__" or "example" in path.parts]
        self.assertEqual(left_over, [])

    def test_it_works_from_any_folder(self):
        done = run(self.program, "run", "@broker-crash", "--until", "30s", cwd=self.empty)
        self.assertIn(done.returncode, (0, 1, 3), done.stderr)
        done = run(self.program, "plot", "runs/latest", "--chart", "lag", "--format", "png", cwd=self.empty)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertTrue((self.empty / "runs/latest/charts/lag.png").exists())
        for command in (("list",), ("explain", "acks"), ("schema",), ("report", "runs")):
            self.assertEqual(run(self.program, *command, cwd=self.empty).returncode, 0, command)
        self.assertFalse((self.prefix / "share/kraftsim/plots/__pycache__").exists())

    @needs_program("man")
    def test_the_manual_page_names_every_command_and_option(self):
        page = self.prefix / "share/man/man1/kraftsim.1.gz"
        if not page.exists():
            self.skipTest("it was built without scdoc")
        self.assertIn(".TH", gzip.decompress(page.read_bytes()).decode())
        shown = run("man", "-l", page, env={**os.environ, "MANWIDTH": "200", "LC_ALL": "C.UTF-8"})
        text = re.sub(r".\x08", "", shown.stdout)
        for line in run(self.program, "--help").stdout.split("Commands\n")[1].split("\n\n")[0].splitlines():
            command = line.split()[0]
            self.assertIn(f"kraftsim {command}", text)
            for flag in re.findall(r"^  (--[a-z-]+)", run(self.program, command, "--help").stdout, re.MULTILINE):
                self.assertIn(flag, text, command)
        warnings = run("man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", page).stderr
        self.assertEqual(warnings, "")

    @needs_program("bash")
    def test_bash_completes(self):
        def complete(*words):
            script = ("source \"$1\"; shift; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($#-1)); _kraftsim; printf '%s\\n' \"${COMPREPLY[@]}\"")
            return run("bash", "-c", script, "bash", self.prefix / "share/bash-completion/completions/kraftsim", *words).stdout.split()
        self.assertIn("export", complete("kraftsim", "ex"))
        self.assertEqual(complete("kraftsim", "export", "x", "--format", "sh"), ["shiviz"])
        self.assertEqual(complete("kraftsim", "run", "--wat"), ["--watch"])

    @needs_program("zsh")
    def test_zsh_reads_it(self):
        done = run("zsh", "-f", "-c", "autoload -U compinit && compinit -u -D && source \"$1\"", "zsh", self.prefix / "share/zsh/vendor-completions/_kraftsim")
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    @needs_program("fish")
    def test_fish_completes(self):
        done = run("fish", "--no-config", "-c", "source $argv[1]; complete -C'kraftsim export x --format sh'",
                   self.prefix / "share/fish/vendor_completions.d/kraftsim.fish", env={**os.environ, "HOME": str(self.folder)})
        self.assertEqual(done.stdout.split()[:1], ["shiviz"], done.stderr)

    @needs_npm("yaml-language-server")
    def test_a_language_server_knows_the_schema(self):
        import language_server
        scenarios = self.prefix / "share/kraftsim/scenarios"
        server = language_server.Server(NODE / "node_modules/yaml-language-server/bin/yaml-language-server",
                                        (self.prefix / "share/kraftsim/kraftsim-v1.schema.json").as_uri())
        self.addCleanup(server.close)
        for name in ("order-flow.yaml", "broker-crash.yaml"):  # by the schema that their first line names
            self.assertEqual(server.diagnostics(str(scenarios / name)[1:], (scenarios / name).read_text()), [])
        self.assertEqual(server.diagnostics("bad.yaml", "schema: kraftsim/v1\nname: x\nduration: 5s\ncluster: {brokers: many}\nfalts: []\n"),
                         ['Incorrect type. Expected "integer".', "Property falts is not allowed."])
        words = server.completions("new.yaml", "schema: kraftsim/v1\nname: x\n\n", 2, 0)
        self.assertLessEqual({"cluster", "topics", "clients", "faults", "expect"}, set(words))

    @unittest.skipIf("KRAFTSIM_PACKAGE" not in os.environ, "KRAFTSIM_PACKAGE is not set")
    @needs_program("cpack", "lintian", "dpkg-deb")
    def test_lintian_passes_the_package(self):
        done = run("cpack", "-G", "DEB", "--config", BUILD / "CPackConfig.cmake", "-B", self.folder / "package", cwd=self.folder)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        (package,) = (self.folder / "package").glob("*.deb")
        done = run("lintian", "--fail-on", "error,warning", package, env={**os.environ, "LC_ALL": "C.UTF-8"})
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)


if __name__ == "__main__":
    unittest.main()
