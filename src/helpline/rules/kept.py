"""Whether somebody asks what is kept about them (K13). Pure; called by desk/intake, which answers
in the contract's own words. A person answers as well: it may be the beginning of a request.
"""

import re
from typing import Final

_KEEP: Final = r"(?:keep|keeping|kept|hold|holding|held|store|storing|stored|save|saved|record|recording|recorded)"
_ASKS: Final = re.compile(
    "|".join(
        (
            rf"\b(?:what|which|how much)\b[^.?!\n]{{0,40}}\b(?:you|u|ya|helpline|is|are|gets?)\b[^.?!\n]{{0,20}}"
            rf"\b{_KEEP}\b[^.?!\n]{{0,20}}\b(?:about|on|of) (?:me|us)\b",
            r"\bwhat (?:info|information|data|details|records?)\b[^.?!\n]{0,20}\b(?:you|u)\b[^.?!\n]{0,12}"
            r"\b(?:have|got|hold|keep|store)\b",
            rf"\b(?:do|will|are|r) (?:you|u)\b[^.?!\n]{{0,12}}\b{_KEEP}\b[^.?!\n]{{0,20}}"
            r"\b(?:this|these|calls?|messages?|texts?|chats?|everything|(?:what )?(?:i|we) (?:say|write|send|tell)"
            r"|my (?:data|details|information|info|name|number|messages?|calls?))\b",
            r"\bhow long\b[^.?!\n]{0,25}\b(?:you|u|is|are|will)\b[^.?!\n]{0,25}\b(?:keep|kept|hold|held|store|stored)\b",
            r"\bwhat (?:happens|do you do) (?:to|with) (?:my|our) (?:data|details|information|info|messages?)\b",
            r"\bwhat (?:happens|do you do) (?:to|with) what (?:i|we) (?:say|write|tell|send)\b",
            r"\b(?:your|a|the) privacy (?:notice|policy|statement)\b",
            rf"\b(?:is|are) (?:this|these|calls?|my (?:messages?|calls?))\b[^.?!\n]{{0,20}}\b{_KEEP}\b",
            r"\bsubject access\b",
        )
    )
)


def asks_what_is_kept(text: str) -> bool:
    """In about a hundred letters: in a long account of something else it is no question to us."""
    return len(text) <= 300 and bool(_ASKS.search(text.casefold().replace("\u2019", "'")))
