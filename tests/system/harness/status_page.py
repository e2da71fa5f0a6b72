"""The status page of a proxy in headless Chromium: what it shows, and that nothing went wrong while it did."""

from .app import wait_until
from .browser import start_browser
from .case import SystemTest

# A client that does not answer keeps the proxy draining, so that a test can look at it.
PATIENT = {"timeouts": {"close": "60s"}, "drain": {"spread": "0s", "timeout": "60s"}}
CHAT = '{"type":"chat","room":42,"text":"the same words again and again, the same words again and again"}'

# The text of every node that can be seen, with its size, weight and the two colours that meet there: what has no
# ground of its own stands on that of whom it is in.
TEXTS = """(async () => {
  const opaque = (colour) => !/rgba\\(.*, 0\\)|transparent/.test(colour);
  const ground = (node) => { while (node && !opaque(getComputedStyle(node).backgroundColor)) node = node.parentElement;
                             return getComputedStyle(node ?? document.body).backgroundColor; };
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
  while (walk.nextNode()) {
    const node = walk.currentNode.parentElement, style = getComputedStyle(node);
    if (!walk.currentNode.data.trim() || !node.checkVisibility() || node.closest('script, .unseen, .skip')) continue;
    found.push({text: walk.currentNode.data.trim(), size: parseFloat(style.fontSize), weight: Number(style.fontWeight),
                colour: node.closest('svg') ? style.fill : style.color, ground: ground(node)});
  }
  return found;
})()"""

# A page's clock that stands still until pass(ms) moves it, how long its timers have to wait yet, and
# the number of questions that it has asked.
STILL_CLOCK = """{
  const timers = new Map();
  let now = 0, last = 0;
  window.setTimeout = (act, delay = 0) => (timers.set(++last, {act, at: now + delay}), last);
  window.clearTimeout = (id) => void timers.delete(id);
  window.pass = (ms) => {
    const end = now + ms;
    for (;;) {
      const [next] = [...timers].filter(([, {at}]) => at <= end).sort(([, one], [, other]) => one.at - other.at);
      if (!next) break;
      timers.delete(next[0]);
      now = next[1].at;
      next[1].act();
    }
    now = end;
  };
  window.waits = () => [...timers.values()].map(({at}) => at - now);
  const ask = window.fetch.bind(window);
  window.questions = 0;
  window.fetch = (...how) => (questions += 1, ask(...how));
}"""


def luminance(colour):
    """WCAG 2's relative luminance of rgb(r, g, b)."""
    parts = [int(part) / 255 for part in colour[colour.index("(") + 1:-1].split(",")[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


class StatusPageTest(SystemTest):
    """One browser for the class; a test may not leave a word in its console but those in `expected`."""

    expected = ()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.driver = start_browser(cls)

    def setUp(self):
        super().setUp()
        self.expected = ()
        self.show_as(1280, "light")
        self.driver.open("about:blank")
        self.driver.console()

    def tearDown(self):
        odd = [line for line in self.driver.console() if not any(known in line for known in self.expected)]
        self.driver.open("about:blank")
        self.assertEqual(odd, [], "what the browser complains of")

    def show_as(self, width, scheme):
        self.driver.devtools("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=width < 600)
        self.driver.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme},
                                                                     {"name": "prefers-reduced-motion", "value": "reduce"}])

    def open_page(self):
        self.driver.open(f"http://127.0.0.1:{self.proxy.admin_port}/")
        self.wait_text("#updated", lambda text: text.startswith("live"))

    def open_page_with_still_clock(self):
        script = self.driver.devtools("Page.addScriptToEvaluateOnNewDocument", source=STILL_CLOCK)["identifier"]
        self.addCleanup(self.driver.devtools, "Page.removeScriptToEvaluateOnNewDocument", identifier=script)
        self.driver.open(f"http://127.0.0.1:{self.proxy.admin_port}/")

    def questions_in(self, ms):
        """How many questions the page asks when its still clock goes on by so much."""
        before = self.ask("questions")
        self.ask("pass(args[0])", ms)
        return self.ask("questions") - before

    def ask(self, expression, *args):
        return self.driver.run(f"(async (...args) => {expression})(...arguments)", *args)

    def text(self, selector):
        return self.ask("document.querySelector(args[0]).innerText", selector)

    def texts(self, selector):
        return self.ask("[...document.querySelectorAll(args[0])].map((node) => node.innerText)", selector)

    def figure(self, path):
        return self.text(f'[data-bind="{path}"]')

    def is_shown(self, selector):
        return self.ask("document.querySelector(args[0]).checkVisibility()", selector)

    def wait_text(self, selector, is_right):
        """The text of the node, once it is so."""
        return wait_until(lambda: is_right(text := self.text(selector)) and (text or True), f"{selector} to change")

    def wait_figure(self, path, is_right):
        return self.wait_text(f'[data-bind="{path}"]', is_right)

    def focused(self):
        return self.ask("document.activeElement.dataset.chart ?? (document.activeElement.id || document.activeElement.innerText)")
