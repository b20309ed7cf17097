"""Check a model card before it is published, and detect edits made to it on the Hub."""

from __future__ import annotations

import hashlib
import re

from ganzoo.cards import find_unfinished, read_header, split_header
from ganzoo.errors import CardError, PublishError
from ganzoo.spec.parsing import shorten

# "Licenses" of the Hub's documentation.
_LICENCES = """
afl-3.0 agpl-3.0 apache-2.0 artistic-2.0 bigcode-openrail-m bigscience-bloom-rail-1.0
bigscience-openrail-m bsd bsd-2-clause bsd-3-clause bsd-3-clause-clear bsl-1.0 c-uda cc
cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nc-nd-3.0
cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cc-by-nd-4.0 cc-by-sa-3.0
cc-by-sa-4.0 cc0-1.0 cdla-permissive-1.0 cdla-permissive-2.0 cdla-sharing-1.0
creativeml-openrail-m deepfloyd-if-license ecl-2.0 epl-1.0 epl-2.0 etalab-2.0 eupl-1.1 gemma gfdl
gpl gpl-2.0 gpl-3.0 isc lgpl lgpl-2.1 lgpl-3.0 lgpl-lr llama2 lppl-1.3c mit mpl-2.0 ms-pl ncsa
odbl odc-by ofl-1.1 openrail openrail++ osl-3.0 other pddl postgresql unknown unlicense wtfpl zlib
"""
LICENCES = frozenset(_LICENCES.split())

_MARK = re.compile(r"<!-- ganzoo wrote all above, sha256 ([0-9a-f]{64}) -->\n\Z")


def check_card(text: str) -> None:
    """Raise an error if a card is unfinished or its licence is not in the Hub's list.

    Raises:
        PublishError: a section is empty or holds a placeholder, or the licence is missing or
            unknown.
    """
    _check_licence(text)
    for problem in find_unfinished(text):
        raise PublishError(problem)


def sign_card(text: str) -> str:
    """Append the comment with the card's checksum that `was_edited` reads."""
    text = text if text.endswith("\n") else f"{text}\n"
    digest = hashlib.sha256(text.encode()).hexdigest()
    return f"{text}<!-- ganzoo wrote all above, sha256 {digest} -->\n"


def was_edited(text: str) -> bool:
    """Return whether a card differs from the text that `sign_card` wrote."""
    mark = _MARK.search(text)
    if mark and hashlib.sha256(text[: mark.start()].encode()).hexdigest() == mark[1]:
        return False
    return bool(split_header(text)[1].strip())  # the Hub itself writes cards with only a header


def _check_licence(text: str) -> None:
    try:
        data = read_header(text)
    except CardError as error:
        raise PublishError(str(error)) from error
    licence = data.get("license")
    for identifier in licence if isinstance(licence, list) else [licence]:
        if not isinstance(identifier, str) or identifier not in LICENCES:
            fault = (
                f"{shorten(repr(identifier))} is not in the Hub's list"
                if identifier
                else "is missing"
            )
            raise PublishError(
                f"the licence in the card's header {fault}. Write `license: ID`, for example mit, "
                "apache-2.0 or cc-by-4.0. For another licence write `license: other` and "
                "`license_name: NAME`."
            )
    if licence == "other" and not data.get("license_name"):
        raise PublishError(
            "the card's header has `license: other` without a name. Add `license_name: NAME`."
        )
