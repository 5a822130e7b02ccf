"""A person's browser, as the desktop starts it: opens a file, follows where it leads, and signs in at the issuer.

PERSON says who sits there; nobody turns back on the issuer's page. OPENED is a file that gets a line each time.
"""

from __future__ import annotations

import os
import re
import sys
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import httpx

page = Path(unquote(urlsplit(sys.argv[1]).path)).read_text("utf-8")
found = re.search(r'content="0;url=([^"]+)"', page)
assert found, page
where = unescape(found[1])
asked = {name: values[0] for name, values in parse_qs(urlsplit(where).query).items()}
with httpx.Client(trust_env=False, verify=False, timeout=10) as web:
    if person := os.environ.get("PERSON"):
        answer = web.get(where, params={**asked, "login_hint": person})
        while "location" in answer.headers:
            answer = web.get(answer.url.join(answer.headers["location"]))
    else:
        answer = web.get(asked["redirect_uri"], params={"state": asked["state"], "error": "access_denied"})
with Path(os.environ["OPENED"]).open("a") as file:
    file.write(
        f"{answer.status_code} {answer.url.copy_with(query=None)} {asked['scope']} {asked.get('resource', 'none')}\n"
    )
