"""The reply box counts in the browser, the page and the tests count in Python: one rule, written
twice, and here the same texts are put to both."""

import random

from helpline.rules.segments import GSM, GSM_TWICE, parts_of, pieces_of
from tests.browser.site import Site

EDGES = ("", "a" * 160, "a" * 161, "€" * 81, "a" * 152 + "€a", "😟" * 36, "it’s", "a" * 66 + "😟ł")
STRANGE = "ł’😟“中\u0301\t"
ASKED = """async (texts) => {
  const { partsOf, piecesOf } = await import("/static/segments.js");
  return texts.map((text) => {
    const { count, left, strange } = partsOf(text);
    return [count, left, strange, piecesOf(text)];
  });
}"""


def texts() -> list[str]:
    """Every letter of the alphabets alone, and 600 texts of every length and mixture."""
    chance = random.Random(2)  # the same texts every time, no secret
    plain, twice = sorted(GSM), sorted(GSM_TWICE)
    made = [*EDGES, *plain, *twice, *STRANGE]
    for turn in range(600):
        letters = plain + twice * (turn % 3 * 10) + list(STRANGE) * (turn % 4 == 0)
        made.append("".join(chance.choices(letters, k=chance.randrange(500))))
    return made


async def test_the_browser_counts_as_the_rule_does(site: Site) -> None:
    asked = texts()
    page = await site.page(None)
    await page.goto(f"{site.address}/login")
    counted = await page.evaluate(ASKED, asked)
    for text, (count, left, strange, pieces) in zip(asked, counted, strict=True):
        parts = parts_of(text)
        assert (count, left, strange) == (parts.count, parts.left, parts.strange or ""), text
        assert pieces == pieces_of(text)
        assert ("".join(pieces), len(pieces)) == (text, count)
