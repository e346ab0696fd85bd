"""Every page has help written for it, and the help is plain."""

import re

import pytest

from helpline.web.app import ROUTES
from helpline.web.helping import pages

WITHOUT_A_FRAME = {
    # what is a part of a page, a stream, a file, or asked by a machine
    "/account/second/app.svg",
    "/attachments/{id}",
    "/cases/{reference}/record/chronology.pdf",
    "/cases/{reference}/record/file.pdf",
    "/chat/messages",
    "/chat/socket",
    "/demo/live",
    "/demo/phones",
    "/evidence/files/{id}",
    "/healthz",
    "/icons/{kind}.png",
    "/live/asked",
    "/live/cases/{reference}",
    "/live/inbox",
    "/login/provider",
    "/login/provider/callback",
    "/manifest.webmanifest",
    "/metrics",
    "/no-connection",  # it is kept on the telephone and says all there is to say
    "/obligations.ics",
    "/obligations/files/{id}",
    "/palette",
    "/readyz",
    "/releases/{id}/files/{format}",
    "/report-templates/{contract}/{report}/ours",
    "/report-templates/{contract}/{report}/{id}/file",
    "/report-templates/{contract}/{report}/{id}/preview",
    "/reports/{contract}/packs/{id}",
    "/rights/{reference}/file/{form}",
    "/rota/{secret}.ics",
    "/start/trials",
    "/static/{name}",
    "/worker.js",
}
OWN_LANGUAGE = "/page"
"""A carer's own page is plain sentences from end to end, in their language: help beside it, in
English, would be one more thing to read."""
LONGEST = 24
"""Words in a sentence: more has to be read twice at three in the morning."""
NOT_PLAIN = re.compile(
    r"\b(database|parameter|config\w*|URL|token|JSON|CSV|schema|session id|render\w*|"
    r"functionality|utili[sz]e\w*|leverage|facilitate|in order to|please note|simply|click here|"
    r"stakeholder\w*|service users?)\b|[;–—/]",
    re.IGNORECASE,
)


def addresses() -> set[str]:
    """Every page that a browser is shown whole, as its pattern without expressions."""
    shown = {
        re.sub(r"\{(\w+):.*?\}(?=/|\.|$)", r"{\1}", r.path) for r in ROUTES if r.method == "GET"
    }
    return {one for one in shown - WITHOUT_A_FRAME if not one.startswith(OWN_LANGUAGE)}


def test_every_page_has_help_and_no_help_is_left_over() -> None:
    assert addresses() - set(pages()) == set(), "write two to six sentences in templates/help"
    assert set(pages()) - addresses() == set()
    gone = WITHOUT_A_FRAME - {re.sub(r"\{(\w+):.*?\}(?=/|\.|$)", r"{\1}", r.path) for r in ROUTES}
    assert gone == set()


@pytest.mark.parametrize("path", sorted(pages()))
def test_help_is_short_and_plain(path: str) -> None:
    said = pages()[path]
    assert 2 <= len(said) <= 6
    assert len(set(said)) == len(said)
    for sentence in said:
        assert re.search(r"[.?!:]$", sentence) and sentence[0].isupper(), sentence
        assert len(sentence.split()) <= LONGEST, sentence
        assert not (found := NOT_PLAIN.search(sentence)), f"{found}: {sentence}"


def test_no_two_pages_share_their_help() -> None:
    said = list(pages().values())
    assert len({" ".join(one) for one in said}) == len(said)
