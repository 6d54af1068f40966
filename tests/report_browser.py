# SPDX-License-Identifier: Apache-2.0
"""Open report pages in headless Chromium and ask of each what its tree, its console and its
requests are: report_browser.py BROWSER PROFILE FOLDER... Only the standard library; the
browser is spoken to by its DevTools protocol over a pipe (file descriptors 3 and 4)."""
import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
         "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--remote-debugging-pipe"]

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
        while b"\0" not in self.rest:
            more = os.read(self.back, 1 << 20)
            if not more:
                raise SystemExit("the browser ended")
            self.rest += more
        one, self.rest = self.rest.split(b"\0", 1)
        return json.loads(one)

    def call(self, method, session=None, **parameters):
        self.number += 1
        call = {"id": self.number, "method": method, "params": parameters}
        if session:
            call["sessionId"] = session
        os.write(self.to, json.dumps(call).encode() + b"\0")
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

    def open(self, url):
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Audits"):
            self.call(domain + ".enable", session)
        self.events = []
        self.call("Page.navigate", session, url=url)
        self.wait("Page.loadEventFired")
        tree = self.call("Runtime.evaluate", session, expression=TREE)["result"]["value"]
        facts = self.call("Runtime.evaluate", session, returnByValue=True, expression="""({
            title: document.title, mode: document.compatMode,
            background: getComputedStyle(document.querySelector('thead th')).backgroundColor,
            hash: document.querySelectorAll('script, iframe, object, embed, form, img').length
            })""")["result"]["value"]
        self.call("Target.closeTarget", targetId=target)
        return tree, facts, self.events

    def close(self):
        os.write(self.to, json.dumps({"id": 0, "method": "Browser.close"}).encode() + b"\0")
        self.process.wait(30)


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
    print("ok" if ok else "not ok", what, str(why).replace("\n", " ")[:500], sep="\t")


def first_difference(a, b):
    for x, y in zip(a.split("\n"), b.split("\n")):
        if x != y:
            return "HTML %r, XML %r" % (x[:200], y[:200])
    return "one is longer"


def look(browser, folder):
    path = os.path.abspath(os.path.join(folder, "report.html"))
    tree, facts, events = browser.open("file://" + path)
    xml = xml_tree(path)
    say(squeezed(tree) == squeezed(xml), folder + ": the HTML parser's tree is the XML parser's",
        first_difference(squeezed(tree), squeezed(xml)))
    said = [e for e in events if e.get("method") in
            ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded",
             "Audits.issueAdded")]
    said = [e for e in said if e["method"] != "Audits.issueAdded" or
            "ContentSecurityPolicy" in json.dumps(e)]
    say(not said, folder + ": no word on the console", json.dumps(said))
    asked = {e["params"]["request"]["url"] for e in events
             if e.get("method") == "Network.requestWillBeSent"}
    asked = {u for u in asked if not u.startswith("data:") and u != "file://" + path}
    say(not asked, folder + ": no request by the page", asked)
    say(facts["title"].startswith("Forebear report") and facts["hash"] == 0,
        folder + ": no script ran, none is there", facts)
    say(facts["mode"] == "CSS1Compat" and facts["background"] == "rgb(245, 247, 249)",
        folder + ": standards mode, and the style sheet passes the policy", facts)


def main():
    browser = Browser(sys.argv[1], sys.argv[2])
    for folder in sys.argv[3:]:
        look(browser, folder)
    browser.close()


main()
