"""Draw docs/demo.png: the demo with all shipped models, in Chromium.

python tools/draw_demo.py [--tab Walk] [--out docs/demo.png]

Needs `pip install '.[demo,test]'`, all plugins of ganzoo, and Chromium.
"""

import argparse
import shutil
import subprocess
import sys
import time
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

WIDTH, HEIGHT, MARGIN = 1200, 945, 100  # pixels of the window, and of what is cut off beside
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu"]
DRAWN = 10  # seconds in which a tab draws its images
COLOURS = 256


def draw(port: int, tab: str, out: Path) -> None:
    """Open a tab of the page and write an image of it."""
    with sync_playwright() as driver:
        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = driver.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(f"http://127.0.0.1:{port}/")
        page.get_by_role("tab", name=tab, exact=True).click()
        time.sleep(DRAWN)
        inner = {"x": MARGIN, "y": 0, "width": WIDTH - 2 * MARGIN, "height": HEIGHT}
        page.screenshot(path=out, clip=inner)
        browser.close()
    Image.open(out).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(out)


def main() -> None:
    """Serve the demo and draw it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tab", default="Walk")
    parser.add_argument("--out", type=Path, default=Path("docs/demo.png"))
    parser.add_argument("--port", type=int, default=7873)
    options = parser.parse_args()
    command = [sys.executable, "-m", "ganzoo", "demo", "--port", str(options.port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            if " at http" not in server.stdout.readline():
                raise SystemExit("the demo did not start")
            draw(options.port, options.tab, options.out)
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
