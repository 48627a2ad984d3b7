#!/usr/bin/env python3
"""Pages of runs in a real browser: nothing is fetched, no script runs, no text of a drawing lies on another, the page is
not wider than the window, and every text stands out from its ground (WCAG AA), in light and in dark.

Needs Debian's chromium; without one it is skipped.
"""
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from kraftsim import kraftsim

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


def probe(page, dark, width):
    text = pathlib.Path(page).read_text()
    problems = []
    if re.search(r'(src|href)\s*=\s*["\'](https?:)?//', text):
        problems.append("something is fetched from elsewhere")
    if "<script" in text:
        problems.append("there is a script")
    with tempfile.TemporaryDirectory() as folder:
        probed = pathlib.Path(folder) / "page.html"
        probed.write_text(text.replace("</body>", PROBE + "</body>"))
        ran = subprocess.run(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--window-size={width},2000", "--virtual-time-budget=3000",
             *(["--blink-settings=preferredColorScheme=0"] if dark else []), "--dump-dom", probed.as_uri()],
            capture_output=True, text=True, timeout=120)
    title = re.search(r"<title>PROBED (\{.*?\})</title>", ran.stdout, re.DOTALL)
    if not title:
        return problems + ["the browser did not come to its end: " + ran.stderr[-300:]]
    answer = json.loads(title.group(1).replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">"))
    if not answer["drawings"]:
        problems.append("there is no drawing")
    return problems + answer["found"]


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
