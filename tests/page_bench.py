#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How large a page is and how long a browser takes to open it: page_bench.py BROWSER PROFILE
REPORT... Each is opened three times; the shortest counts. Part of `make bench`, no test."""
import os
import sys

sys.dont_write_bytecode = True
from report_browser import Browser, Page

TIMES = """(() => { const n = performance.getEntriesByType('navigation')[0],
    p = performance.getEntriesByName('first-contentful-paint')[0];
    return [p ? p.startTime : -1, n.domContentLoadedEventEnd, n.loadEventEnd,
            document.querySelectorAll('*').length]; })()"""


def main():
    browser = Browser(sys.argv[1], sys.argv[2])
    print("page                   MB   elements  first paint   interactive     loaded")
    for folder in sys.argv[3:]:
        path = os.path.abspath(os.path.join(folder, "report.html"))
        best = None
        for _ in range(3):
            page = Page(browser, path)
            page.ask("new Promise(r => requestAnimationFrame(() => setTimeout(r, 0)))")
            times = page.ask(TIMES)
            page.close()
            best = min(best or times, times, key=lambda t: t[2])
        print(f"{os.path.basename(folder):16} {os.path.getsize(path) / 1e6:8.2f} {best[3]:10d}"
              + "".join(f"{t / 1000:11.2f} s" for t in best[:3]))
    browser.close()


if __name__ == "__main__":
    main()
