"""kraftsim init and kraftsim import: a scenario of one's own in one command."""
import pathlib
import pty
import os
import re
import select
import shutil
import subprocess
import tempfile
import unittest

from kraftsim import PROGRAM, TOP, kraftsim

INPUTS = TOP / "tests" / "importer" / "inputs"
LOG4J = "log4j.rootLogger=INFO, stdout\nlog4j.appender.stdout=org.apache.log4j.ConsoleAppender\n"


class InAFolder(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="kraftsim-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def at_exit(self, code, *arguments):
        done = kraftsim(*arguments, cwd=self.folder)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def assert_plays(self, file):
        self.at_exit(0, "check", file)
        return self.at_exit(0, "run", file, "--no-files")


class Init(InAFolder):
    def test_without_anything_it_writes_a_scenario_that_holds(self):
        done = self.at_exit(0, "init")
        self.assertIn("scenario.yaml is written", done.stdout)
        self.assertRegex(done.stdout, r"kraftsim run scenario.yaml")
        text = (self.folder / "scenario.yaml").read_text()
        self.assertTrue(text.startswith("# yaml-language-server: $schema="))
        self.assertIn("faults:", text)
        self.assertIn("PASS", self.assert_plays("scenario.yaml").stdout)

    def test_what_it_says_to_try_can_be_tried(self):
        done = self.at_exit(0, "init")
        commands = re.findall(r"kraftsim ((?:run|explain) .*?)(?:  .*)?$", done.stdout, re.M)
        self.assertEqual(len(commands), 4, done.stdout)
        for command in commands:
            tried = kraftsim(*command.split(), *(["--no-files"] if command.startswith("run") else []), cwd=self.folder)
            self.assertIn(tried.returncode, (0, 1, 3), command + tried.stdout + tried.stderr)
            self.assertNotIn("error", tried.stderr)

    def test_flags(self):
        self.at_exit(0, "init", "my.yaml", "--brokers", 5, "--partitions", 12, "--rate", "400/s", "--services", "a,b,c", "--acks", "1",
                     "--topic", "payments.v1", "--no-crash")
        text = (self.folder / "my.yaml").read_text()
        for wanted in ("brokers: 5", "partitions: 12", "poisson: 400/s", "group.id: c", "acks: 1", "payments.v1:"):
            self.assertIn(wanted, text)
        self.assertNotIn("faults:", text)
        self.assert_plays("my.yaml")

    def test_one_broker(self):
        self.at_exit(0, "init", "one.yaml", "--brokers", 1, "--controllers", 1, "--no-crash")
        self.assert_plays("one.yaml")

    def test_a_file_that_exists_stays(self):
        (self.folder / "scenario.yaml").write_text("mine")
        self.assertIn("exists already", self.at_exit(2, "init").stderr)
        self.assertEqual((self.folder / "scenario.yaml").read_text(), "mine")
        self.at_exit(0, "init", "--force")
        self.assertIn("exists already", self.at_exit(2, "import", INPUTS / "topics.txt", "--out", "scenario.yaml").stderr)
        self.at_exit(2, "init", str(self.folder), "--force")

    def test_what_cannot_be(self):
        for flags, said in ((("--brokers", 0), "--brokers is a whole number from 1"),
                            (("--replication-factor", 4), "needs as many brokers"),
                            (("--min-isr", 4), "--min-isr 4 is more than"),
                            (("--rate", "fast"), "--rate is a number of orders"),
                            (("--services", "a,,b"), "cannot be a name"),
                            (("--services", "a,a"), "names a twice"),
                            (("--acks", "2"), "--acks is one of all, 1, 0"),
                            (("--topic", "__x"), "cannot be a topic's name")):
            with self.subTest(flags=flags):
                self.assertIn(said, self.at_exit(2, "init", *flags).stderr)
                self.assertFalse((self.folder / "scenario.yaml").exists())

    def test_on_a_terminal_it_asks(self):
        ours, theirs = pty.openpty()
        process = subprocess.Popen([PROGRAM, "init", "asked.yaml"], cwd=self.folder, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs)
        os.close(theirs)
        os.write(ours, b"5\n0\n9\n\nbilling, stock\n1\nno\n")  # 0 partitions: it asks again
        shown = b""
        while select.select([ours], [], [], 30)[0]:
            try:
                piece = os.read(ours, 4096)
            except OSError:
                break
            if not piece:
                break
            shown += piece
        self.assertEqual(process.wait(timeout=30), 0, shown)
        process.stdout.close()
        os.close(ours)
        text = (self.folder / "asked.yaml").read_text()
        for wanted in ("brokers: 5", "partitions: 9", "200/s", "group.id: stock", "acks: 1"):
            self.assertIn(wanted, text)
        self.assertNotIn("faults:", text)
        self.assertIn(b"--partitions is a whole number from 1", shown)


class Import(InAFolder):
    def imported(self, *files, expect=0):
        done = self.at_exit(expect, "import", *files, "--out", "shop.yaml", "--force")
        return done, (self.folder / "shop.yaml").read_text() if expect == 0 else ""

    def test_each_input_alone_becomes_a_scenario_that_plays(self):
        for file in sorted(INPUTS.iterdir()):
            if file.name == "perf-test.txt":
                continue
            with self.subTest(file=file.name):
                self.imported(file)
                self.assert_plays("shop.yaml")

    def test_all_of_one_cluster_together(self):
        done, text = self.imported(*(INPUTS / name for name in ("server.properties", "topics.txt", "groups.txt", "members.txt", "state.txt",
                                                                "producer.properties", "consumer.properties")))
        self.assertIn("3 brokers, 3 controllers (combined), 2 topics, 1 producer, 2 groups", done.stdout)
        self.assertRegex(done.stdout, r"server\.properties:9  num\.io\.threads=eight: must be a whole number")
        self.assertNotIn("hunter2", text + done.stdout)
        self.assertIn("replicas: [[1, 2, 3], [2, 3, 1], [3, 1, 2]]", text)
        # What stands in the output stands in the scenario.
        for line in re.findall(r"^  (\S.*\.(?:properties|txt).*)$", done.stdout, re.M):
            self.assertIn("#   " + line, text)
        self.assert_plays("shop.yaml")

    def test_without_out_the_scenario_is_printed(self):
        done = self.at_exit(0, "import", INPUTS / "topics.txt")
        (self.folder / "printed.yaml").write_text(done.stdout)
        self.assertIn("not in it, and why", done.stderr)
        self.assert_plays("printed.yaml")

    def test_what_is_no_input(self):
        (self.folder / "empty").write_text("")
        (self.folder / "blank.properties").write_text("# nothing\n\n")
        (self.folder / "log4j.properties").write_text(LOG4J)
        (self.folder / "binary").write_bytes(b"\x7fELF\x00\x01\x02")
        (self.folder / "utf16.txt").write_bytes("Topic: orders\tPartitionCount: 3".encode("utf-16"))
        for name, said in (("empty", "there is nothing in it"), ("blank.properties", "there is nothing in it"),
                           ("log4j.properties", "none of its 2 properties"), ("binary", "is not a text"), ("utf16.txt", "is not a text"),
                           (".", "is a folder"), ("nowhere.txt", "does not exist"),
                           (INPUTS / "perf-test.txt", "is what kafka-producer-perf-test printed")):
            with self.subTest(name=str(name)):
                done, _ = self.imported(INPUTS / "topics.txt", name, expect=2)
                self.assertIn(said, done.stderr)
                self.assertFalse((self.folder / "shop.yaml").exists())

    def test_nothing_without_files(self):
        self.assertIn("import FILE...", self.at_exit(2, "import").stderr)


if __name__ == "__main__":
    unittest.main()
