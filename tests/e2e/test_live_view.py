#!/usr/bin/env python3
"""run --watch, through a pseudo-terminal: what is shown, what keys do, and that nothing of it reaches the results."""
import os
import pathlib
import pty
import re
import select
import struct
import subprocess
import tempfile
import time
import unittest
import fcntl
import termios

from kraftsim import PROGRAM, TOP, files_of, kraftsim


class Screen:
    """The program in a terminal of 120 columns and 50 rows."""

    def __init__(self, *arguments):
        self.master, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 120, 0, 0))
        self.process = subprocess.Popen([PROGRAM, *map(str, arguments)], cwd=TOP, stdin=terminal, stdout=terminal, stderr=terminal,
                                        env={**os.environ, "TERM": "xterm"}, start_new_session=True)
        os.close(terminal)
        self.seen = ""

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)

    def read(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if not select.select([self.master], [], [], 0.05)[0]:
                continue
            try:
                self.seen += os.read(self.master, 65536).decode(errors="replace")
            except OSError:
                return

    def frame(self):
        """The last whole picture, without its escape sequences."""
        pictures = self.seen.split("\x1b[H")
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", pictures[-2] if len(pictures) > 2 else "")

    def wait_for(self, pattern, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.read(0.2)
            match = re.search(pattern, self.frame())
            if match:
                return match
        raise AssertionError(f"{pattern} was never shown; the last picture:\n{self.frame()}")

    def type(self, keys):
        os.write(self.master, keys.encode())

    def position(self):
        return float(re.search(r"seed \d+ +([\d.]+) s of", self.frame()).group(1))


class LiveView(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)

    def watch(self, *arguments):
        screen = Screen("run", "@broker-crash", "--until", "45s", "--watch", *arguments)
        self.addCleanup(screen.close)
        return screen

    def test_it_shows_the_run_and_goes_back_and_the_results_know_nothing_of_it(self):
        screen = self.watch("--speed", "8x", "--out", self.folder / "watched")
        screen.wait_for(r"faults +crash: broker-3, since 30 s")
        screen.type(" ")
        picture = screen.wait_for(r"paused").string
        self.assertRegex(picture, r"controller +controller-\d")
        self.assertRegex(picture, r"orders +\d+ placed/s")
        self.assertRegex(picture, r"lag .*behind, \d+ records +inventory")
        self.assertRegex(picture, r"orders-0 +(broker-\d|no leader) +ISR [#.]{3} \d of 3")
        screen.read(1)
        paused_at = screen.position()
        screen.read(1)
        self.assertEqual(screen.position(), paused_at)
        screen.type("bbbbbbbb")
        screen.wait_for(r"faults +none at present")  # before the crash
        self.assertAlmostEqual(screen.position(), paused_at - 8, delta=0.01)
        before = re.sub(r".*seed", "seed", screen.frame())
        screen.type("f")
        screen.read(2)
        screen.type("b")
        screen.read(2)
        self.assertEqual(re.sub(r".*seed", "seed", screen.frame()), before)  # the same past
        screen.type("++++++++ ")
        screen.wait_for(r"\d+x real time|the end")
        screen.type("q")
        screen.process.wait(timeout=120)
        screen.read(1)
        self.assertIn("broker-crash   seed 1", screen.seen)
        kraftsim("run", "@broker-crash", "--until", "45s", "--out", self.folder / "alone")
        self.assertEqual(files_of(self.folder / "watched"), files_of(self.folder / "alone"))

    def test_the_terminal_is_left_as_it_was(self):
        screen = self.watch("--no-files", "--speed", "100")
        screen.wait_for("real time")
        screen.type("q")
        screen.process.wait(timeout=120)
        screen.read(1)
        self.assertIn("\x1b[?1049l", screen.seen)
        self.assertIn("\x1b[?25h", screen.seen)

    def test_without_a_terminal_it_says_so(self):
        done = kraftsim("run", "@broker-crash", "--watch", "--no-files")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("--watch needs a terminal", done.stderr)
        done = kraftsim("run", "@broker-crash", "--speed", "3x", "--no-files")
        self.assertIn("--speed is of --watch", done.stderr)


if __name__ == "__main__":
    unittest.main()
