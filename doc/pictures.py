# SPDX-License-Identifier: Apache-2.0
"""Make doc/report.png and doc/report-finding.png anew, of the report on the sample:
pictures.py FOREBEAR. Needs chromium and, for small files, pngquant."""
import os
import shutil
import subprocess
import sys
import tempfile
import time

DOC = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(DOC, "..", "tests"))
import report_browser  # noqa: E402

WIDTH, SCALE = 1280, 0.78125  # 1,000 pixels wide
PICTURES = {"report.png": (None, 1229), "report-finding.png": ("#findings .finding", 2117)}
# What is stuck to the window's top, or beside the page, is no part of a picture.
STILL = """document.documentElement.style.cssText = 'scrollbar-width: none; scroll-padding-top: 0';
document.querySelector('.finder').style.position = 'static'"""


def take(page, selector, height, path):
    page.call("Emulation.setDeviceMetricsOverride", width=WIDTH, height=height,
              deviceScaleFactor=SCALE, mobile=False)
    page.ask(STILL)
    for _ in range(3):  # what comes near is laid out, and moves what is below
        if selector:
            page.ask("document.querySelector('%s').scrollIntoView()" % selector)
        time.sleep(0.5)
    page.shot(path)
    if shutil.which("pngquant"):
        subprocess.run(["pngquant", "--force", "--speed", "1", "--output", path, "256", path], check=True)


def main():
    with tempfile.TemporaryDirectory() as work:
        shutil.copy(os.path.join(DOC, "..", "samples", "forebear-sample.E01"), os.path.join(work, "disk.E01"))
        os.symlink(os.path.abspath(sys.argv[1]), os.path.join(work, "forebear"))
        environment = dict(os.environ, SOURCE_DATE_EPOCH="1768212000", PATH=work + ":" + os.environ["PATH"])
        subprocess.run(["forebear", "report", "-q", "--case", "2026-17", "--examiner", "A. Examiner",
                        "-o", "report", "disk.E01"], cwd=work, env=environment, check=True,
                       stdout=subprocess.DEVNULL)
        browser = report_browser.Browser("chromium", os.path.join(work, "profile"))
        for name, (selector, height) in PICTURES.items():
            page = report_browser.Page(browser, os.path.join(work, "report", "report.html"), width=WIDTH)
            take(page, selector, height, os.path.join(DOC, name))
            page.close()
        browser.close()


main()
