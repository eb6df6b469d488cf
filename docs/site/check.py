"""Check a site that has been built: ``python docs/site/check.py site``.

It loads nothing from the network: links that a reader may follow can lead anywhere, what a browser
loads by itself has to lie in the site. And every formula has been read as one.
"""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

FOLLOWED = ("a", "area")
"""Elements whose address is loaded only if the reader asks for it."""
ADDRESSES = ("src", "href", "xlink:href", "data", "poster", "srcset", "action", "background")


VERBATIM = ("code", "pre", "script", "style")
"""Elements in which a dollar sign begins no formula."""


class _Page(HTMLParser):
    """Collects what a page has a browser load, and its text outside code.

    Attributes
    ----------
    loads
        Addresses.
    text
        What a reader sees, but for code.
    """

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.text = ""
        self._inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take the addresses of an element."""
        if tag in VERBATIM:
            self._inside.append(tag)
        given = {name: value or "" for name, value in attrs}
        self.loads += in_style(given.get("style", ""))
        if tag not in FOLLOWED:
            for name in ADDRESSES:
                address = given.get(name, "")
                parts = address.split(",") if name == "srcset" else [address]
                self.loads += [part.split()[0] for part in parts if part.strip()]
        if given.get("http-equiv", "").lower() == "refresh":
            self.loads += re.findall(r"url=(\S+)", given.get("content", ""), re.IGNORECASE)

    def handle_data(self, data: str) -> None:
        """Take text, and the addresses of a style."""
        if "style" in self._inside:
            self.loads += in_style(data)
        if not self._inside:
            self.text += data

    def handle_endtag(self, tag: str) -> None:
        """Leave code or a style."""
        if self._inside and tag == self._inside[-1]:
            self._inside.pop()


def in_style(text: str) -> list[str]:
    """Return the addresses that a style sheet loads."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    found = re.findall(r"url\(\s*['\"]?([^'\")]+)", text)
    return found + re.findall(r"@import\s+['\"]([^'\"]+)", text)


def mistakes(site: Path) -> list[str]:
    """Return, in words, what is wrong with the files of a site."""
    wrong = []
    for file in sorted(site.rglob("*")):
        if file.suffix in (".html", ".svg"):
            page = _Page()
            page.feed(file.read_text(encoding="utf-8"))
            found = page.loads
            near = re.search(r".{,30}\$.{,30}", page.text)
            if near is not None:
                wrong.append(f"{file.relative_to(site)}: no formula: {near[0].strip()}")
        elif file.suffix == ".css":
            found = in_style(file.read_text(encoding="utf-8"))
        else:
            continue
        for address in dict.fromkeys(found):
            parts = urlsplit(address)
            name = file.relative_to(site)
            if parts.scheme == "data" or (not parts.scheme and not parts.netloc and not parts.path):
                continue
            if parts.scheme or parts.netloc or address.startswith("/"):
                wrong.append(f"{name}: loads {address}")
            elif not (file.parent / unquote(parts.path)).exists():
                wrong.append(f"{name}: {address} is not in the site")
    return wrong


def main(arguments: list[str]) -> int:
    """Check the site in a folder and return the exit status."""
    site = Path(arguments[0])
    pages = len(list(site.rglob("*.html")))
    wrong = mistakes(site)
    sys.stderr.writelines(f"{text}\n" for text in wrong)
    if not pages:
        sys.stderr.write(f"{site} has no pages\n")
    else:
        print(f"{site}: {pages} pages, {len(wrong)} mistakes")
    return 1 if wrong or not pages else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
