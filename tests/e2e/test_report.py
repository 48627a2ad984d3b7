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
                     "(lost): lost,", "fault crash strikes: kill broker-3", "enable.idempotence", "<svg"):
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

    def test_each_file_that_is_missing_or_cut_off_is_said_and_the_rest_is_told(self):
        for name, said in (("summary.json", "summary.json"), ("charts.json", "charts.json"), ("metrics.csv", "metrics.csv"),
                           ("scenario.resolved.yaml", "scenario.resolved.yaml")):
            for how in ("gone", "cut"):
                with self.subTest(name=name, how=how):
                    copied = self.copy(f"{how}-{name}")
                    content = (copied / name).read_bytes()
                    (copied / name).unlink()
                    if how == "cut":
                        (copied / name).write_bytes(content[:len(content) // 2])
                    done = kraftsim("report", copied)
                    self.assertEqual(done.returncode, 0, done.stderr)
                    if how == "gone" or name != "scenario.resolved.yaml":
                        self.assertIn(said, done.stderr)
                    self.assertIn("<h1>", (copied / "report.html").read_text())

    def test_a_folder_of_another_version_says_so(self):
        copied = self.copy("newer")
        text = (copied / "summary.json").read_text().replace("kraftsim-summary/1", "kraftsim-summary/9")
        (copied / "summary.json").write_text(text)
        done = kraftsim("report", copied)
        self.assertEqual(done.returncode, 0)
        self.assertIn("summary.json is of another version (kraftsim-summary/9, not kraftsim-summary/1)", done.stderr)
        self.assertIn("acknowledged orders can be found in no log any more", (copied / "report.html").read_text())

    def test_a_sweep_a_comparison_and_a_folder_of_runs_have_pages(self):
        sweep = self.folder / "runs" / "sweep"
        done = kraftsim("sweep", "@acks1-leader-crash-loss", "--seeds", "1-3", "--set", "clients.order-service.config.acks=all", "--out", sweep)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(f"{sweep}/report.html", done.stdout)
        page = (sweep / "report.html").read_text()
        self.assertIn("3 of 3 runs failed", page)
        self.assertIn('<a href="kept/1/report.html">seed 1</a>', page)
        self.assertTrue((sweep / "kept/1/report.html").exists())
        self.assertIn("kraftsim run acks1-leader-crash-loss.yaml --seed 1 --set clients.order-service.config.acks=all", page)
        self.assertNotIn("http", page)
        (sweep / "report.html").unlink()
        (sweep / "summary.json").unlink()
        self.assertEqual(kraftsim("report", sweep).stdout, f"{sweep}/report.html\n")
        self.assertEqual((sweep / "report.html").read_text(), page)  # results.jsonl is enough
        shutil.copytree(self.run_folder, self.folder / "runs" / "shop" / "1")
        done = kraftsim("compare", self.run_folder, sweep, "--out", self.folder / "compared.html", "--tolerance", "lost=0%")
        self.assertIn(f"{self.folder}/compared.html", done.stdout)
        self.assertIn("A against B", (self.folder / "compared.html").read_text())
        done = kraftsim("report", self.folder / "runs")
        self.assertEqual((done.returncode, done.stdout), (0, f"{self.folder}/runs/index.html\n"))
        index = (self.folder / "runs/index.html").read_text()
        self.assertIn('href="shop/1/report.html"', index)
        self.assertNotIn("kept", index)

    def test_what_is_no_run_is_refused(self):
        (self.folder / "empty").mkdir()
        done = kraftsim("report", self.folder / "empty")
        self.assertEqual(done.returncode, 2)
        self.assertIn("is not the folder of a run", done.stderr)
        self.assertEqual(kraftsim("report", self.folder / "nowhere").returncode, 2)
        done = kraftsim("report", self.run_folder, "--out", self.run_folder / "summary.json" / "place.html")
        self.assertEqual(done.returncode, 2)
        self.assertIn("cannot be", done.stderr)


if __name__ == "__main__":
    unittest.main()
