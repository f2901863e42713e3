"""Takes the command blocks out of a page, as a reader would."""

import re
from pathlib import Path

BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#{2,3} (.+)$", re.MULTILINE)


def sections(page: Path) -> dict[str, list[str]]:
    """Returns each heading's command blocks, in the page's order."""
    text = page.read_text(encoding="utf-8")
    found: dict[str, list[str]] = {}
    places = [(match.start(), match.group(1)) for match in HEADING.finditer(text)]
    for block in BLOCK.finditer(text):
        heading = max((place for place in places if place[0] < block.start()), default=(0, ""))[1]
        found.setdefault(heading, []).append(block.group(1))
    return found
