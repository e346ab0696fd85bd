"""Whatever a library writes into a page comes through one door: what could run is taken out,
what cannot be text of a page is refused, and no second door can be made."""

import pytest
from playwright.async_api import Error

from tests.browser.site import Site

HOSTILE = """
<p id="shown">still shown</p>
<img src="/none" onerror="window.hit = 1">
<script>window.hit = 1</script>
<svg><script>window.hit = 1</script><a xlink:href="java&#10;script:window.hit=1">x</a></svg>
<iframe srcdoc="<script>parent.hit = 1</script>"></iframe>
<a id="link" href=" JaVaScRiPt:window.hit=1">x</a>
<form action="javascript:hit=1"><button formaction="javascript:hit=1">x</button></form>
<template id="inner"><b onclick="window.hit = 1">x</b></template>
<div hx-on:click="window.hit = 1" data-hx-on--load="window.hit = 1"></div>
"""
PUT = """(text) => {
  const place = document.createElement("div");
  document.body.append(place);
  place.innerHTML = text;
  document.querySelector("#link")?.click();
  return place.innerHTML + (document.querySelector("#inner")?.innerHTML ?? "");
}"""


async def test_what_could_run_is_taken_out_and_the_rest_is_shown(site: Site) -> None:
    page = await site.page("wasim")
    await page.goto(f"{site.address}/inbox")
    shown = await page.evaluate(PUT, HOSTILE)
    assert "still shown" in shown
    for word in ("hit", "<script", "<iframe", "srcdoc", "onerror", "javascript"):
        assert word not in shown, word
    assert await page.evaluate("window.hit") is None
    assert page.url.endswith("/inbox")


async def test_what_we_send_comes_through_unchanged(site: Site) -> None:
    page = await site.page("wasim")
    await page.goto(f"{site.address}/inbox")
    row = '<tr><td hx-get="/inbox" title="on=1 &lt;script&gt;">a</td></tr>'
    put = "(text) => { const t = document.createElement('tbody'); t.innerHTML = text; return t }"
    assert await page.evaluate(f"(text) => ({put})(text).innerHTML", row) == row


ACTS = (
    "setTimeout('window.hit = 1', 0)",
    "document.createElement('script').text = 'window.hit = 1'",
    "document.createElement('script').src = 'https://example.org/x.js'",
    "trustedTypes.createPolicy('another', { createHTML: (text) => text })",
    "trustedTypes.createPolicy('inert', { createHTML: (text) => text })",
)


async def test_text_never_becomes_a_script(site: Site) -> None:
    page = await site.page(None)
    await page.goto(f"{site.address}/login")
    for act in ACTS:
        with pytest.raises(Error, match=r"(?i)trusted|policy|unsafe-eval"):
            await page.evaluate(f"() => {{ {act} }}")
    assert await page.evaluate("window.hit") is None
