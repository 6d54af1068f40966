# SPDX-License-Identifier: Apache-2.0
"""Open report pages in headless Chromium, use them as a reader would, and say what came of
it: report_browser.py BROWSER PROFILE SHOTS VALUES WORDS AXE PAGE... where PAGE is FOLDER,
or +FOLDER for one that is used and printed, =FOLDER for one that is opened in windows of
several widths. Only the standard library; the browser is spoken to by its DevTools protocol
over a pipe (file descriptors 3 and 4)."""
import base64
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
         "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--remote-debugging-pipe"]

TITLES = ("Forebear report", "Forebear-Bericht")  # the latter with --language de
WIDTHS = {"phone": 390, "laptop": 1366, "print": 794}

# Elements, attributes and text of the tree, in order, as the HTML parser built it. Some
# versions split a text of more than 64 KiB into several nodes: normalize() joins them.
TREE = """(() => { const out = []; const walk = n => {
  out.push('<' + n.localName + ' ' + [...n.attributes].filter(a => a.name !== 'xmlns')
      .map(a => a.name + '=' + a.value).sort().join(' ') + '>');
  for (const c of n.childNodes) {
    if (c.nodeType === 1) walk(c);
    else if (c.nodeType === 3) out.push(c.data);
    else out.push('node type ' + c.nodeType);
  }
  out.push('</>');
}; const all = document.documentElement.cloneNode(true); all.normalize(); walk(all); return out.join('\\n'); })()"""

# What the page shows: rows of a table, cards, what is off or folded.
SHOWN = """(() => { const count = s => [...document.querySelectorAll(s)].filter(e => e.checkVisibility()).length;
  return {cards: count('.creation'), events: count('.timeline .item'), sections: count('.finding'),
          said: document.querySelector('#find-count').textContent}; })()"""

WRITE = """navigator.clipboard.writeText = t => { window.copied = t; return Promise.resolve(); };"""


class Browser:
    def __init__(self, program, profile):
        to_read, self.to = os.pipe()
        self.back, from_write = os.pipe()

        def wire():
            # both ends are moved out of the way before 3 and 4 are taken
            a, b = os.dup(to_read), os.dup(from_write)
            os.dup2(a, 3)
            os.dup2(b, 4)

        self.process = subprocess.Popen(
            [program, *FLAGS, "--user-data-dir=" + profile, "about:blank"], preexec_fn=wire,
            close_fds=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(from_write)
        self.number, self.rest, self.events = 0, b"", []

    def message(self):
        parts = [self.rest]
        while b"\0" not in parts[-1]:
            more = os.read(self.back, 1 << 20)
            if not more:
                raise SystemExit("the browser ended")
            parts.append(more)
        one, self.rest = b"".join(parts).split(b"\0", 1)
        return json.loads(one)

    def call(self, method, session=None, **parameters):
        self.number += 1
        call = {"id": self.number, "method": method, "params": parameters}
        if session:
            call["sessionId"] = session
        data = json.dumps(call).encode() + b"\0"
        while data:
            data = data[os.write(self.to, data):]
        while True:
            got = self.message()
            if got.get("id") == self.number:
                if "error" in got:
                    raise SystemExit(method + ": " + got["error"]["message"])
                return got["result"]
            self.events.append(got)

    def wait(self, method):
        while not any(e.get("method") == method for e in self.events):
            self.events.append(self.message())

    def close(self):
        os.write(self.to, json.dumps({"id": 0, "method": "Browser.close"}).encode() + b"\0")
        self.process.wait(30)


class Page:
    """One page in a tab of its own."""

    def __init__(self, browser, path, scripts=True, width=WIDTHS["laptop"], dark=False):
        self.browser, self.path = browser, path
        self.target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=self.target,
                                    flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Audits"):
            self.call(domain + ".enable")
        self.call("Emulation.setScriptExecutionDisabled", value=not scripts)
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900,
                  deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        browser.events = []
        self.call("Page.navigate", url="file://" + path)
        browser.wait("Page.loadEventFired")

    def call(self, method, **parameters):
        return self.browser.call(method, self.session, **parameters)

    def ask(self, expression):
        got = self.call("Runtime.evaluate", expression=expression, returnByValue=True,
                        awaitPromise=True)
        if "exceptionDetails" in got:
            raise SystemExit(expression[:80] + ": " + json.dumps(got["exceptionDetails"])[:400])
        return got["result"].get("value")

    def key(self, key, code=0):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key,
                      windowsVirtualKeyCode=code)

    def shot(self, path):
        data = self.call("Page.captureScreenshot", format="png")["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))

    def close(self):
        self.browser.call("Target.closeTarget", targetId=self.target)


def local(name):
    return name.rsplit("}", 1)[-1]


def xml_tree(path):
    out = []

    def walk(root):
        # iterative: an end is a string on the stack
        stack = [root]
        while stack:
            node = stack.pop()
            if isinstance(node, str):
                out.append(node)
                continue
            out.append("<" + local(node.tag) + " " +
                       " ".join(sorted(local(k) + "=" + v for k, v in node.attrib.items())) + ">")
            stack.append("</>")
            for child in reversed(list(node)):
                if child.tail:
                    stack.append(child.tail)
                stack.append(child)
            if node.text:
                stack.append(node.text)

    walk(ET.parse(path).getroot())
    return "\n".join(out)


def squeezed(tree):
    """White space between elements where HTML drops or moves it is of no account."""
    return "\n".join(line for line in tree.split("\n") if line.strip())


def say(ok, what, why=""):
    print("ok" if ok else "not ok", what, str(why).replace("\n", " ").replace("\t", " ")[:1500],
          sep="\t", flush=True)


def first_difference(a, b):
    for x, y in zip(a.split("\n"), b.split("\n")):
        if x != y:
            return "HTML %r, XML %r" % (x[:200], y[:200])
    return "one is longer"


def silent(browser, name, path):
    """Nothing on the console, no request but for the page itself."""
    said = [e for e in browser.events if e.get("method") in
            ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded",
             "Audits.issueAdded")]
    said = [e for e in said if e["method"] != "Audits.issueAdded" or
            "ContentSecurityPolicy" in json.dumps(e)]
    say(not said, name + ": no word on the console", json.dumps(said))
    asked = {e["params"]["request"]["url"] for e in browser.events
             if e.get("method") == "Network.requestWillBeSent"}
    asked = {u for u in asked if not u.startswith("data:") and u.split("#")[0] != "file://" + path}
    say(not asked, name + ": no request by the page", asked)


def look(browser, name, path):
    """As it was written, without scripts: what the HTML parser made of it."""
    page = Page(browser, path, scripts=False)
    tree, xml = page.ask(TREE), xml_tree(path)
    say(squeezed(tree) == squeezed(xml), name + ": the HTML parser's tree is the XML parser's",
        first_difference(squeezed(tree), squeezed(xml)))
    facts = page.ask("""({title: document.title, mode: document.compatMode,
        background: getComputedStyle(document.querySelector('thead th')).backgroundColor,
        strange: document.querySelectorAll('iframe, object, embed, form, img, base').length,
        scripts: document.querySelectorAll('script').length,
        hidden: [...document.querySelectorAll('.node, .creation, .timeline tr, .statements li')]
            .filter(e => !e.checkVisibility()).length})""")
    say(facts["title"].startswith(TITLES) and facts["strange"] == 0 and
        facts["scripts"] == 1, name + ": no element is there that the template has not", facts)
    say(facts["mode"] == "CSS1Compat" and facts["background"] == "rgb(244, 246, 248)",
        name + ": standards mode, and the style sheet passes the policy", facts)
    say(facts["hidden"] == 0, name + ": without scripts everything is there to read", facts)
    silent(browser, name + " without scripts", path)
    page.close()
    page = Page(browser, path)
    facts = page.ask("({js: document.documentElement.className, title: document.title})")
    say(facts["js"] == "js" and facts["title"].startswith(TITLES),
        name + ": the report's own script runs, and no other", facts)
    silent(browser, name, path)
    page.close()


# First cells of tables at whose middle something else is seen.
COVERED = """[...document.querySelectorAll('table.stack tbody tr:first-child td:first-child')]
    .filter(cell => cell.textContent.trim()).filter(cell => cell.checkVisibility()).filter(cell => {
      cell.scrollIntoView({block: 'center'});
      const box = cell.getBoundingClientRect();
      const seen = document.elementFromPoint(box.left + 5, box.top + box.height / 2);
      return !(seen && cell.contains(seen));
    }).map(cell => cell.outerHTML.slice(0, 100))"""

# Cells of the outline and of the hosts that do not begin with their column's name.
UNNAMED = """[...document.querySelectorAll('.outline tbody td, #hosts tbody td')].filter(cell => {
      const header = cell.closest('table').querySelectorAll('thead th')[cell.cellIndex].textContent.trim();
      return cell.textContent && getComputedStyle(cell, '::before').content.indexOf(header) === -1;
    }).map(cell => cell.outerHTML.slice(0, 100))"""


def widths(browser, name, path, shots):
    for device, width in WIDTHS.items():
        for scripts in (True, False):
            page = Page(browser, path, scripts, width)
            over = page.ask("""[document.documentElement.scrollWidth, innerWidth,
                [...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1
                 ).filter(e => !e.closest('.scroll')).slice(0, 3).map(e => e.outerHTML.slice(0, 150))]""")
            say(over[0] <= over[1], "%s: nothing sticks out at the side of a %s%s" % (
                name, device, "" if scripts else ", without scripts"), over)
            if device == "phone":
                covered = page.ask(COVERED)
                say(not covered, "%s: nothing lies over the cells of a %s%s" % (
                    name, device, "" if scripts else ", without scripts"), covered)
            if scripts:
                if device == "phone":
                    unnamed = page.ask(UNNAMED)
                    say(not unnamed, name + ": a phone's cells name their columns", unnamed)
                page.shot(os.path.join(shots, "%s-%s.png" % (name, device)))
            page.close()


# Text against the background that it stands on, by WCAG's formula: 4.5 is wanted.
CONTRAST = """(() => { const rgb = c => (c.match(/[\\d.]+/g) || []).map(Number);
  const light = c => { const [r, g, b] = c.map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const behind = e => { for (let at = e; at; at = at.parentElement) { const c = rgb(getComputedStyle(at).backgroundColor);
    if (c.length === 3 || c[3] > 0.99) return c; } return [255, 255, 255]; };
  const bad = []; const seen = new Set();
  for (const e of document.querySelectorAll('body *')) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || !e.checkVisibility()) continue;
    const s = getComputedStyle(e); const color = e.closest('svg') ? s.fill : s.color; const back = behind(e);
    const key = color + back; if (seen.has(key)) continue; seen.add(key);
    const a = light(rgb(color)), b = light(back); const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) bad.push([e.outerHTML.slice(0, 80), color, back.join(), ratio.toFixed(2)]);
  } return [seen.size, bad]; })()"""


def contrast(browser, name, path, shots):
    for dark in (False, True):
        page = Page(browser, path, dark=dark)
        seen, bad = page.ask(CONTRAST)
        say(seen > 5 and not bad, "%s: letters stand out in the %s" % (name, "dark" if dark else "light"), bad)
        if dark:
            page.shot(os.path.join(shots, name + "-dark.png"))
        page.close()


def fill(page, field, value):
    page.ask("""(() => { const f = document.querySelector('#find-%s'); f.value = %s;
        f.dispatchEvent(new Event('input')); return new Promise(r => setTimeout(r, 300)); })()""" % (
        field, json.dumps(value)))


def find(browser, name, path):
    page = Page(browser, path)
    before = page.ask(SHOWN)
    fill(page, "words", "no such words anywhere")
    nothing = page.ask(SHOWN)
    say(nothing["cards"] == nothing["events"] == 0 and "Filtered" in nothing["said"],
        name + ": a search for what is not there shows nothing, and says so", nothing)
    fill(page, "words", "")
    say(page.ask(SHOWN) == before, name + ": without words all is there again", before)
    words = page.ask("""document.querySelector('.creation code.value').textContent.toLowerCase().slice(0, 30)""")
    fill(page, "words", words)
    some = page.ask(SHOWN)
    say(0 < some["cards"] <= before["cards"] and some["cards"] == page.ask(
        """[...document.querySelectorAll('.creation')].filter(e => %s.split(/\\s+/).every(
            w => e.textContent.toLowerCase().includes(w))).length""" % json.dumps(words)),
        name + ": a search shows what has the words, and only that", [words, some])
    fill(page, "words", "")
    for field, attribute, selector in (("host", "host", ".creation"), ("rule", "rules", ".creation"),
                                       ("level", "levels", ".creation"), ("event", "event", ".timeline .item")):
        value = page.ask("document.querySelector('%s').dataset.%s.split(' ')[0]" % (selector, attribute))
        fill(page, field, value)
        wrong = page.ask("""[...document.querySelectorAll('%s')].filter(e => e.checkVisibility() !==
            e.dataset.%s.split(' ').includes(%s)).length""" % (selector, attribute, json.dumps(value)))
        say(wrong == 0, "%s: filter by %s" % (name, field), [value, wrong])
        fill(page, field, "")
    times = page.ask("[...document.querySelectorAll('.timeline .item')].map(e => e.dataset.time).sort()")
    middle = times[len(times) // 2][:19]
    fill(page, "from", middle)
    left = page.ask(SHOWN)["events"]
    say(left == sum(t >= middle for t in times), name + ": filter by time", [middle, left, len(times)])
    whole = next((t[:17] for t in times if t[17:19] != "00" and
                  not any(u[:17] == t[:17] and u[17:19] == "00" for u in times)), None)
    if whole:
        # as the field has it: a full minute without its seconds
        fill(page, "from", whole + "00")
        fill(page, "to", whole + "00")
        say(page.ask(SHOWN)["events"] == 0 and len(page.ask("document.querySelector('#find-to').value")) == 16,
            name + ": the end of a filter by time is that second, not its minute", whole)
    page.ask("document.querySelector('#find-reset').click()")
    own_words(page, name)
    page.ask("document.querySelector('#find-reset').click()")
    say(page.ask(SHOWN) == before, name + ": one button takes all filters away")
    sort(page, name)
    page.close()


def own_words(page, name):
    """What our buttons say is none of the words of an item; what a value is and does not
    show is. Items near the window have their buttons by now."""
    fill(page, "words", "copy row")
    found = page.ask("""[...document.querySelectorAll('.item:not(.off)')].filter(e => {
        const bare = e.cloneNode(true); bare.querySelectorAll('button').forEach(b => b.remove());
        return !/copy/i.test(bare.textContent) || !/row/i.test(bare.textContent); }).length""")
    buttons = page.ask("document.querySelectorAll('.item button.copy').length")
    say(buttons > 0 and found == 0, name + ": buttons are not searched", [buttons, found])
    recorded = page.ask("""(() => { const v = [...document.querySelectorAll('.creation [data-value]')].map(
        e => JSON.parse('"' + e.dataset.value + '"')).find(t => t.trim() && !/\\s/.test(t)); return v || ''; })()""")
    if recorded:
        fill(page, "words", recorded)
        say(page.ask(SHOWN)["cards"] > 0, name + ": a value is found by what was recorded", recorded[:80])


def folded(browser, name, path):
    """Paper has no buttons: what is folded on the screen is printed."""
    page = Page(browser, path)
    count = "[...document.querySelectorAll('.node')].filter(e => !e.checkVisibility()).length"
    hidden = page.ask(count)
    page.call("Emulation.setEmulatedMedia", media="print")
    say(page.ask(count) == 0, name + ": processes that are folded on the screen are printed",
        [hidden, page.ask(count)])
    page.close()


def strange_links(browser, name, path):
    page = Page(browser, path + "#%")
    for hash in ("#%E0%A4", "#<b>", "#\u202e", "#[", "#constructor", "#" + "x" * 100000):
        page.ask("location.hash = %s; new Promise(r => setTimeout(r, 50))" % json.dumps(hash))
    thrown = [e for e in browser.events if e.get("method") == "Runtime.exceptionThrown"]
    say(not thrown, name + ": a link to nowhere is no fault", json.dumps(thrown)[:400])
    page.close()


def refused_copy(browser, name, path):
    """Where the browser lets nothing be copied the page does not say that it did."""
    page = Page(browser, path)
    said = page.ask("""(async () => {
        Object.defineProperty(navigator, 'clipboard', {value: {writeText: () => Promise.reject(new Error('no'))}});
        document.execCommand = () => false;
        const row = document.querySelector('.timeline tr.item'); row.scrollIntoView();
        for (let i = 0; i < 100 && !row.querySelector('.copy'); i++) await new Promise(r => setTimeout(r, 10));
        row.querySelector('.copy').click(); await new Promise(r => setTimeout(r, 50));
        return document.querySelector('#said').textContent; })()""")
    say("Nothing was copied" in said, name + ": a copy that is refused is not said to be made", said)
    page.close()


def old_copy(browser, name, path):
    """The way without a clipboard of the page's own keeps line ends as they were recorded."""
    page = Page(browser, path)
    got = page.ask("""(async () => {
        Object.defineProperty(navigator, 'clipboard', {value: undefined});
        const recorded = 'a\\r\\nb\\tc';
        const value = document.querySelector('.creation dl.facts code.value');
        value.dataset.value = JSON.stringify(recorded).slice(1, -1);
        let copied = null;
        document.execCommand = () => { const e = new ClipboardEvent('copy', {clipboardData: new DataTransfer(), cancelable: true});
            document.dispatchEvent(e); copied = e.clipboardData.getData('text/plain'); return true; };
        value.scrollIntoView();
        for (let i = 0; i < 100 && !value.parentElement.querySelector('.copy'); i++) await new Promise(r => setTimeout(r, 10));
        const button = value.parentElement.querySelector('.copy'); button.focus(); button.click();
        await new Promise(r => setTimeout(r, 50));
        return [copied === recorded, document.activeElement === button]; })()""")
    say(got == [True, True], name + ": copied the old way a value is exact, and the focus stays", got)
    page.close()


def sort(page, name):
    cells = """[...document.querySelector('.timeline').tBodies[0].rows].map(r => r.cells[1].textContent)"""
    button = "document.querySelector('.timeline th:nth-child(2) .button')"
    was = page.ask(cells)
    page.ask(button + ".click()")
    up = page.ask(cells)
    page.ask(button + ".click()")
    down = page.ask(cells)
    state = page.ask("document.querySelector('.timeline th:nth-child(2)').getAttribute('aria-sort')")
    say(sorted(was) == sorted(up) and down[0] >= down[-1] and up[0] <= up[-1] and state == "descending",
        name + ": a table is sorted by a column, both ways", [was[:3], up[:3], down[:3], state])


def tree_by_keyboard(browser, name, path):
    page = Page(browser, path)
    page.ask("document.querySelector('ol.tree [tabindex=\"0\"]').focus()")
    at = "(() => { const n = [...document.querySelectorAll('.node')]; return n.indexOf(document.activeElement); })()"
    start = page.ask(at)
    page.key("ArrowDown", 40)
    second = page.ask(at)
    page.key("ArrowUp", 38)
    first = page.ask(at)
    say(start == 0 and second > 0 and first == 0, name + ": arrow keys walk the tree", [start, second, first])
    shown = "[...document.querySelector('ol.tree').children].filter(e => e.checkVisibility()).length"
    many = page.ask(shown)
    page.key("ArrowLeft", 37)
    folded = page.ask(shown)
    page.key("ArrowRight", 39)
    say(folded == 1 and page.ask(shown) == many, name + ": left folds, right unfolds", [many, folded])
    page.key("Enter", 13)
    say(page.ask("document.activeElement.querySelector('details').open"), name + ": Enter opens what is known of a process")
    page.key("End", 35)
    last = page.ask(at)
    say(last > second, name + ": End goes to the last one", last)
    # Everything that takes the keyboard is reached by it, and seen.
    stops = page.ask("""[...document.querySelectorAll('a, button, input, select, summary, [tabindex="0"]')].filter(
        e => e.checkVisibility() && e.tabIndex >= 0).length""")
    page.ask("document.activeElement.blur()")
    seen = []
    for _ in range(12):
        page.key("Tab", 9)
        seen.append(page.ask("document.activeElement.localName + ' ' + getComputedStyle(document.activeElement).outlineStyle"))
    say(stops > 20 and len(set(seen)) > 1 and not any(s.endswith(" none") for s in seen),
        name + ": Tab goes on, and shows where it is", seen)
    page.close()


def anchors(browser, name, path):
    page = Page(browser, path)
    bad = page.ask("""[...document.querySelectorAll('a[href^="#"]')].map(a => a.getAttribute('href')).filter(
        h => !document.getElementById(h.slice(1)))""")
    ids = page.ask("[...document.querySelectorAll('[id]')].map(e => e.id)")
    say(not bad and len(ids) == len(set(ids)), name + ": every link leads to a place, every place has one name",
        [bad[:5], [i for i in set(ids) if ids.count(i) > 1][:5]])
    for kind in "SPFE":
        say(any(re.fullmatch(kind + "-[0-9a-f]{12}", i) for i in ids), "%s: there are anchors %s-" % (name, kind))
    hidden = page.ask("""(() => { const n = [...document.querySelectorAll('.node')].find(e => !e.checkVisibility() &&
        e.querySelector('.line [id]')); return n ? n.querySelector('.line [id]').id : ''; })()""")
    if hidden:
        page.ask("location.hash = '#%s'; new Promise(r => setTimeout(r, 200))" % hidden)
        say(page.ask("document.getElementById('%s').checkVisibility()" % hidden),
            name + ": a link to what is folded unfolds it", hidden)
    page.close()


# Where what a link leads to begins, and where the bar that stays on top ends.
LANDS = """(() => { const at = document.getElementById('%s');
  const whole = at.closest('tr, .node') || at.closest('h5, h3') || at;
  return [whole.getBoundingClientRect().top, document.querySelector('.finder').getBoundingClientRect().bottom]; })()"""


def lands(browser, name, path):
    """A link that somebody was given shows what it names, from its first line on."""
    page = Page(browser, path)
    ids = page.ask("[...document.querySelectorAll('[id]')].map(e => e.id)")
    page.close()
    for kind in "SPFE":
        for one in [i for i in ids if re.fullmatch(kind + "-[0-9a-f]{12}", i)][1::7][:3]:
            page = Page(browser, path + "#" + one)
            page.ask("new Promise(r => setTimeout(r, 500))")
            top, bar = page.ask(LANDS % one)
            say(bar <= top < 500, "%s: a link to %s shows all of it" % (name, kind), [one, top, bar])
            page.close()


def copies(browser, name, path, values):
    """The exact value of each hostile one comes out of the page, and so does a row."""
    page = Page(browser, path)
    page.ask(WRITE)
    got = page.ask("""(async () => { const out = [];
      for (const card of document.querySelectorAll('.creation')) {
        card.scrollIntoView();
        for (let i = 0; i < 100 && !card.querySelector('.copy'); i++) await new Promise(r => setTimeout(r, 10));
        const button = card.querySelector('.copy');
        if (!button) continue;
        button.click();
        out.push([card.querySelector('code.value').textContent, window.copied]);
      } return out; })()""")
    exact = {shown: value for shown, value in got}
    lost = [n for n, value, shown in values if exact.get(shown) != value]
    say(len(got) >= len(values) and not lost, name + ": every hostile value is copied as it was recorded",
        [len(got), lost[:8]])
    page.close()


def copy_row(browser, name, path):
    page = Page(browser, path)
    page.ask(WRITE)
    text = page.ask("""(async () => { const row = document.querySelector('.timeline tr.item'); row.scrollIntoView();
        for (let i = 0; i < 100 && !row.querySelector('.copy'); i++) await new Promise(r => setTimeout(r, 10));
        row.querySelector('.copy').click(); return window.copied; })()""")
    say(text and text.count("\t") == 3 and "Copy" not in text, name + ": a row is copied as text", text)
    page.close()


PAPERS = (("A4", 8.27, 11.69), ("Letter", 8.5, 11))


def printed(browser, name, path, shots, header, papers):
    for paper, width, height in papers:
        page = Page(browser, path)
        pdf = page.call("Page.printToPDF", paperWidth=width, paperHeight=height, preferCSSPageSize=False,
                        printBackground=True, displayHeaderFooter=False)["data"]
        file = os.path.join(shots, "%s-%s.pdf" % (name, paper))
        with open(file, "wb") as out:
            out.write(base64.b64decode(pdf))
        info = subprocess.run(["pdfinfo", file], capture_output=True, text=True).stdout
        count = int(re.search(r"Pages:\s+(\d+)", info).group(1))
        text = subprocess.run(["pdftotext", "-layout", file, "-"], capture_output=True, text=True).stdout
        pages = text.split("\f")[:count]
        bare = [i + 1 for i, t in enumerate(pages) if header not in t]
        say(count > 3 and not bare, "%s on %s: every page has the header" % (name, paper), [count, bare[:5]])
        cut = [i + 1 for i, t in enumerate(pages) if "…" in t.lstrip().split("\n")[0]]
        say(not cut, "%s on %s: no header is cut" % (name, paper), cut[:5])
        times = re.findall(r"logged \S+-\n", text)
        say(not times, "%s on %s: no time of the timeline is broken" % (name, paper), times[:3])
        say(name != "sample" or count < 70, "%s on %s: it is no longer than it needs" % (name, paper), count)
        numbers = [i + 1 for i, t in enumerate(pages) if "Page %d of %d" % (i + 1, count) not in t]
        say(not numbers, "%s on %s: every page has its number" % (name, paper), numbers[:5])
        say(not re.search(r"\bCopy( row)?\b", text) and "Unfold all" not in text,
            "%s on %s: buttons are not printed" % (name, paper))
        first = page.ask("document.querySelector('.creation details dd').textContent.trim().slice(0, 20)")
        say(first in text, "%s on %s: what is folded on the screen is printed" % (name, paper), first)
        heads = [i for i, t in enumerate(pages) if re.search(r"Time +Event +What was recorded", t)]
        longest = page.ask("document.querySelector('.timeline').rows.length")
        say(longest < 60 or any(i + 1 in heads for i in heads),
            "%s on %s: a table's head is on each page that it is on" % (name, paper), heads)
        subprocess.run(["pdftoppm", "-r", "60", "-png", "-l", "6", file, file[:-4]], check=False)
        page.close()


# The heads of columns that are printed and say nothing in any row, or say something and are
# not printed; the first table of events has one column emptied, so that there is one.
COLUMNS = """(() => {
  const emptied = document.querySelector('.timeline');
  for (const row of emptied.tBodies[0].rows) row.cells[1].textContent = '';
  const wrong = [], tables = document.querySelectorAll('table.stack');
  for (const table of tables) {
    const rows = [...table.tBodies].flatMap(body => [...body.rows]);
    [...table.tHead.rows[0].cells].forEach((head, i) => {
      const empty = i > 0 && rows.every(row => !row.cells[i].childNodes.length);
      const cells = [head, ...rows.map(row => row.cells[i])];
      const shown = cells.filter(cell => getComputedStyle(cell).display !== 'none').length;
      if (shown !== (empty ? 0 : cells.length)) wrong.push([table.className, head.textContent, shown]);
    });
  }
  return JSON.stringify([getComputedStyle(emptied.rows[0].cells[1]).display, wrong]);
})()"""


def columns(browser, name, path):
    page = Page(browser, path)
    page.call("Emulation.setEmulatedMedia", media="print")
    emptied, wrong = json.loads(page.ask(COLUMNS))
    say(emptied == "none", name + ": a column that says nothing is not printed", emptied)
    say(not wrong, name + ": all others are, whole", wrong[:5])
    page.close()


def words(browser, name, path, forbidden):
    """The program's own words: values and the texts of rules' authors are taken away."""
    page = Page(browser, path, scripts=False)
    text = page.ask("""(() => { const all = document.body.cloneNode(true);
        all.querySelectorAll('script, code, q, .rule, #rules table, .verdicts a, .unmet a, svg').forEach(e => e.remove());
        return all.textContent; })()""")
    titles = page.ask("[...document.querySelectorAll('.rule h3')].map(e => e.textContent)")
    for title in titles:
        text = text.replace(title, "")
    text = re.sub(r"\s+", " ", text)
    found = [text[max(0, m.start() - 40):m.end() + 40] for p in forbidden for m in re.finditer(p, text, re.I)]
    say(len(text) > 5000 and not found, name + ": no word that is not to be used", found)
    page.close()


def accessible(browser, name, path, axe):
    for dark in (False, True):
        page = Page(browser, path, dark=dark)
        page.ask(axe + "; 0")
        faults = page.ask("""axe.run(document, {resultTypes: ['violations']}).then(r => r.violations.filter(
            v => v.impact === 'serious' || v.impact === 'critical').map(v => [v.id, v.nodes.length, v.nodes[0].html.slice(0, 200),
            v.nodes[0].failureSummary]))""")
        say(not faults, "%s: axe-core finds no serious fault in the %s" % (name, "dark" if dark else "light"), faults)
        page.close()


def lines_of(path):
    with open(path, encoding="utf-8") as file:
        return [line.rstrip("\n") for line in file if line.strip() and not line.startswith("#")]


def main():
    program, profile, shots, value_file, word_file, axe_file = sys.argv[1:7]
    browser = Browser(program, profile)
    values = [json.loads(line) for line in lines_of(value_file)]
    forbidden = [line.split("\t")[0] for line in lines_of(word_file)]
    axe = open(axe_file, encoding="utf-8").read() if os.path.exists(axe_file) else ""
    for folder in sys.argv[7:]:
        name = folder.lstrip("+=")
        path = os.path.abspath(os.path.join(name, "report.html"))
        look(browser, name, path)
        if folder.startswith("="):
            widths(browser, name, path, shots)
        if not folder.startswith("+"):
            continue
        for use in (find, tree_by_keyboard, anchors, lands, copy_row, folded, strange_links,
                    refused_copy, old_copy):
            use(browser, name, path)
        widths(browser, name, path, shots)
        contrast(browser, name, path, shots)
        words(browser, name, path, forbidden)
        columns(browser, name, path)
        printed(browser, name, path, shots, "Process lineage report",
                PAPERS[:1] if name == "all" else PAPERS)
        if name == "all":
            copies(browser, name, path, values)
        elif axe:
            accessible(browser, name, path, axe)
    browser.close()


if __name__ == "__main__":
    main()
