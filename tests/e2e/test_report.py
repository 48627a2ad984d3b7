#!/usr/bin/env python3
"""report.html: every run has one, it is made from the run's files alone, and what is not there is said."""
import hashlib
import pathlib
import shutil
import tempfile
import unittest

from kraftsim import kraftsim, manifest


class Report(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        cls.run_folder = cls.folder / "run"
        kraftsim("run", "@acks1-leader-crash-loss", "--out", cls.run_folder)
        cls.page = (cls.run_folder / "report.html").read_text()

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def copy(self, name):
        copied = self.folder / name
        shutil.copytree(self.run_folder, copied)
        return copied

    def test_every_run_has_its_page_and_the_manifest_knows_it(self):
        said = manifest(self.run_folder)["files"]["report.html"]
        self.assertEqual(said["sha256"], hashlib.sha256(self.page.encode()).hexdigest())
        self.assertLess(said["bytes"], 1_000_000)
        for part in ("acknowledged orders can be found in no log any more", "kraftsim run @acks1-leader-crash-loss --seed 1",
                     "(lost): lost,", "fault crash: kill broker-3", "enable.idempotence", "<svg"):
            self.assertIn(part, self.page)

    def test_it_is_one_file_without_scripts_that_fetches_nothing(self):
        self.assertNotIn("<script", self.page)
        self.assertNotIn("http", self.page)
        self.assertNotIn("url(", self.page)

    def test_report_writes_the_same_bytes_from_the_folder(self):
        copied = self.copy("again")
        (copied / "report.html").unlink()
        done = kraftsim("report", copied)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(done.stdout, f"{copied}/report.html\n")
        self.assertEqual((copied / "report.html").read_text(), self.page)

    def test_a_damaged_folder_gives_what_it_has(self):
        copied = self.copy("damaged")
        (copied / "charts.json").write_text("{")
        (copied / "metrics.csv").unlink()
        done = kraftsim("report", copied, "--out", self.folder / "damaged.html")
        self.assertEqual(done.returncode, 0)
        self.assertIn("charts.json is damaged", done.stderr)
        page = (self.folder / "damaged.html").read_text()
        self.assertIn("metrics.csv is not there", page)
        self.assertIn("acknowledged orders can be found in no log any more", page)

    def test_what_is_no_run_is_refused(self):
        done = kraftsim("report", self.folder)
        self.assertEqual(done.returncode, 2)
        self.assertIn("is not the folder of a run", done.stderr)
        self.assertEqual(kraftsim("report", self.folder / "nowhere").returncode, 2)
        done = kraftsim("report", self.run_folder, "--out", self.run_folder / "summary.json" / "place.html")
        self.assertEqual(done.returncode, 2)
        self.assertIn("cannot be", done.stderr)


if __name__ == "__main__":
    unittest.main()
