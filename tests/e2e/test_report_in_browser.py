#!/usr/bin/env python3
"""Pages of runs in a real browser: nothing is fetched, no script runs, no text of a drawing lies on another, the page is
not wider than the window, and every text stands out from its ground (WCAG AA), in light and in dark.

Needs Debian's chromium; without one it is skipped. With axe-core from npm (others.py) it looks at labels and contrast, too.
"""
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from kraftsim import kraftsim
from others import NODE, needs_npm

PROBE = r"""
<script>
addEventListener('load', () => {
  const found = [];
  const boxes = [];
  for (const svg of document.querySelectorAll('svg')) {
    const texts = [...svg.querySelectorAll('text')].map(t => [t.textContent, t.getBoundingClientRect()]);
    for (let i = 0; i < texts.length; ++i) {
      for (let j = i + 1; j < texts.length; ++j) {
        const [a, r] = texts[i], [b, s] = texts[j];
        const w = Math.min(r.right, s.right) - Math.max(r.left, s.left);
        const h = Math.min(r.bottom, s.bottom) - Math.max(r.top, s.top);
        if (w > 1 && h > 3) found.push('"' + a + '" lies on "' + b + '"');
      }
      const frame = svg.getBoundingClientRect();
      if (texts[i][1].right > frame.right + 1 || texts[i][1].left < frame.left - 1)
        found.push('"' + texts[i][0] + '" leaves its drawing');
    }
    boxes.push(texts.length);
  }
  if (document.documentElement.scrollWidth > innerWidth + 1) found.push('the page is wider than the window');
  const rgb = c => (c.match(/[\d.]+/g) || [0, 0, 0]).map(Number);
  const light = c => { const [r, g, b] = rgb(c).map(v => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
                       return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ground = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
                        if (rgb(c).length < 4 || rgb(c)[3] > 0) return c; } return 'rgb(255,255,255)'; };
  const seen = new Set();
  for (const e of document.querySelectorAll('p,li,td,th,h1,h2,h3,dt,dd,summary,a,code,span,b,caption,figcaption,svg text')) {
    if (!e.textContent.trim() || e.getClientRects().length === 0) continue;
    const css = getComputedStyle(e);
    const onBar = /on-(bar|stage)/.test(e.getAttribute('class') || '');
    if (onBar) continue;
    const ink = e.namespaceURI.endsWith('svg') ? css.fill : css.color;
    const a = light(ink), b = light(ground(e));
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const name = e.tagName + '.' + (e.getAttribute('class') || '');
    if (contrast < 4.5 && !seen.has(name)) { seen.add(name); found.push(name + ' has a contrast of ' + contrast.toFixed(2)); }
  }
  document.title = 'PROBED ' + JSON.stringify({found, drawings: boxes});
});
</script>
"""


AXE = r"""
<script>
addEventListener('load', () => axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'best-practice']}).then(result => {
  const found = result.violations.map(v => v.id + ': ' + v.nodes.length + ' x ' + v.nodes[0].html.slice(0, 120));
  document.title = 'PROBED ' + JSON.stringify({found, drawings: [result.passes.length]});
}));
</script>
"""


def browse(text, dark, width):
    """What a script of the page has put into its title, as JSON; and what the browser said otherwise."""
    with tempfile.TemporaryDirectory() as folder:
        probed = pathlib.Path(folder) / "page.html"
        probed.write_text(text)
        ran = subprocess.run(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--window-size={width},2000", "--virtual-time-budget=20000",
             "--enable-logging=stderr", *(["--blink-settings=preferredColorScheme=0"] if dark else []), "--dump-dom", probed.as_uri()],
            capture_output=True, text=True, timeout=240)
    title = re.search(r"<title>PROBED (\{.*?\})</title>", ran.stdout, re.DOTALL)
    if not title:
        return ["the browser did not come to its end: " + ran.stderr[-300:]], []
    answer = json.loads(title.group(1).replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">"))
    errors = [line for line in ran.stderr.splitlines() if "CONSOLE" in line and "error" in line.lower()]
    return answer["found"] + errors, answer["drawings"]


def axe(page, dark):
    text = pathlib.Path(page).read_text()
    library = (NODE / "node_modules/axe-core/axe.min.js").read_text()
    found, passes = browse(text.replace("</body>", "<script>" + library + "</script>" + AXE + "</body>"), dark, 1100)
    return found if passes and passes[0] > 10 else found + ["axe-core has looked at nothing"]


def probe(page, dark, width, has_drawing=True):
    text = pathlib.Path(page).read_text()
    problems = []
    if re.search(r'(src|href)\s*=\s*["\'](https?:)?//', text):
        problems.append("something is fetched from elsewhere")
    if "<script" in text:
        problems.append("there is a script")
    found, drawings = browse(text.replace("</body>", PROBE + "</body>"), dark, width)
    if has_drawing and not drawings:
        problems.append("there is no drawing")
    return problems + found


SCENARIOS = ["order-flow", "broker-crash", "acks1-leader-crash-loss", "rolling-restart", "disk-full-everywhere"]


@unittest.skipIf(shutil.which("chromium") is None, "no chromium on this machine")
class InBrowser(unittest.TestCase):
    def test_pages_can_be_read(self):
        with tempfile.TemporaryDirectory() as folder:
            for scenario in SCENARIOS:
                run = pathlib.Path(folder) / scenario
                kraftsim("run", f"@{scenario}", "--out", run)
                for dark in (False, True):
                    for width in (1100, 700):
                        with self.subTest(scenario=scenario, dark=dark, width=width):
                            self.assertEqual(probe(run / "report.html", dark, width), [])

    def other_pages(self, folder):
        """Of a sweep with a matrix, of a comparison of runs and one of sweeps, of a folder of runs."""
        runs = folder / "runs"
        for name, more in (("a", []), ("b", ["--set", "clients.order-service.config.linger.ms=50"])):
            kraftsim("run", "@broker-crash", "--until", "40s", "--out", runs / name, *more)
        matrix = folder / "matrix.yaml"
        matrix.write_text("with-a-name-that-is-rather-long-for-a-row: {clients.order-service.config.acks: 1}\n"
                          "acks-all: {clients.order-service.config.acks: all}\n")
        kraftsim("sweep", "@acks1-leader-crash-loss", "--seeds", "1-4", "--matrix", matrix, "--out", runs / "sweep")
        kraftsim("compare", runs / "a", runs / "b", "--out", folder / "of-runs.html")
        kraftsim("compare", f"{runs / 'sweep'}:acks-all", f"{runs / 'sweep'}:with-a-name-that-is-rather-long-for-a-row", "--out",
                 folder / "of-sweeps.html")
        kraftsim("report", runs)
        return [runs / "sweep/report.html", folder / "of-runs.html", folder / "of-sweeps.html", runs / "index.html", runs / "a/report.html"]

    def test_pages_of_many_runs_can_be_read(self):
        with tempfile.TemporaryDirectory() as temporary:
            for page in self.other_pages(pathlib.Path(temporary)):
                for dark in (False, True):
                    with self.subTest(page=page.name, dark=dark):
                        self.assertEqual(probe(page, dark, 1000, page.name != "index.html"), [])

    @needs_npm("axe-core")
    def test_axe_core_finds_nothing(self):
        with tempfile.TemporaryDirectory() as temporary:
            for page in self.other_pages(pathlib.Path(temporary)):
                for dark in (False, True):
                    with self.subTest(page=page.name, dark=dark):
                        self.assertEqual(axe(page, dark), [])

    def test_the_probe_sees_what_is_wrong(self):
        page = ("<html><head><title>x</title></head><body><p style='color:#888;background:#999'>faint</p>"
                "<svg width='200' height='50'><text x='5' y='20'>one</text><text x='8' y='22'>another</text></svg>"
                "<script>1</script><img src='https://example.org/a.png'></body></html>")
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "bad.html").write_text(page)
            found = " ".join(probe(pathlib.Path(folder) / "bad.html", False, 1100))
        for part in ("fetched from elsewhere", "there is a script", 'lies on', "has a contrast of"):
            self.assertIn(part, found)


if __name__ == "__main__":
    unittest.main()
