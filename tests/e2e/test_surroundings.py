"""A run depends on its scenario, seed and program alone: not on locale, time zone, environment, address layout, memory that
nobody has written, working folder, terminal or user."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from kraftsim import PROGRAM, SHOP, files_of


class Surroundings(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        (cls.folder / "shop.yaml").write_text(SHOP.read_text())
        cls.count = 0
        cls.as_usual = cls.files()

    @classmethod
    def files(cls, before=(), cwd=None, **environment):
        """Those of a run of the shop in these surroundings, its trace of every event among them."""
        cls.count += 1
        run = cls.folder / f"run-{cls.count}"
        command = [*before, PROGRAM, "run", str(cls.folder / "shop.yaml"), "--trace", "full", "--quiet", "--out", str(run)]
        done = subprocess.run(command, cwd=cwd or cls.folder, env={**os.environ, **environment}, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)
        assert done.returncode == 1, done.stdout + done.stderr
        files = files_of(run)
        shutil.rmtree(run)
        return files

    def assert_same(self, files):
        self.assertEqual(list(files), list(self.as_usual))
        for name, content in files.items():
            self.assertTrue(content == self.as_usual[name], f"{name} differs")

    def test_the_environment(self):
        for environment in ({"LC_ALL": "tr_TR.UTF-8", "LANG": "de_DE.UTF-8"}, {"LC_ALL": "C", "LANGUAGE": "ar"},
                            {"TZ": "Asia/Kathmandu"}, {"TZ": "America/St_Johns", "SOURCE_DATE_EPOCH": "0"},
                            {"PADDING": "x" * 100_000}, {"HOME": "/nonexistent", "USER": "nobody", "HOSTNAME": "elsewhere"},
                            {"COLUMNS": "20", "TERM": "dumb", "CLICOLOR_FORCE": "1"}):
            with self.subTest(environment={key: value[:20] for key, value in environment.items()}):
                self.assert_same(self.files(**environment))

    def test_memory_that_nobody_has_written(self):
        for pattern in ("85", "170"):  # malloc fills what it hands out, and what is given back
            with self.subTest(pattern=pattern):
                self.assert_same(self.files(MALLOC_PERTURB_=pattern, MALLOC_ARENA_MAX="1"))

    def test_the_working_folder(self):
        deep = self.folder / "a folder" / ("deep" * 20)
        deep.mkdir(parents=True)
        self.assert_same(self.files(cwd=deep))
        self.assert_same(self.files(cwd="/"))

    def test_the_layout_of_addresses(self):
        setarch = shutil.which("setarch")
        fixed = [setarch, os.uname().machine, "-R"] if setarch else []
        if not setarch or subprocess.run([*fixed, "true"], stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest("addresses cannot be fixed here")
        self.assert_same(self.files(before=fixed))
        self.assert_same(self.files(before=[setarch, os.uname().machine, "--addr-compat-layout"]))
        self.assert_same(self.files())  # at random, once more


if __name__ == "__main__":
    unittest.main()
