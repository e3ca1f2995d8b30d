"""What all scripts share: the settings of the test that runs them, one verdict
line for each step, and the person who logs in."""

import os
import sys
import traceback
from collections import namedtuple

import requests

ISSUER, PERSON, AUDIENCE, WEB_SECRET = (os.environ[n] for n in ("ISSUER", "PERSON", "AUDIENCE", "WEB_SECRET"))
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"  # the issuer is on loopback

Client = namedtuple("Client", "id secret callback bye")
CLIENTS = [
    Client("web", WEB_SECRET, "https://web.test/cb", "https://web.test/bye"),
    Client("spa", None, "https://spa.test/cb", "https://spa.test/bye"),
    Client("es256", None, "https://spa.test/cb", "https://spa.test/bye"),
]


def step(client, name, work):
    """Says how work went, and ends the script if it went wrong."""
    try:
        got = work()
    except Exception:
        print(f"failed {client} {name}:\n{traceback.format_exc()}", flush=True)
        sys.exit(1)
    print(f"ok {client} {name}", flush=True)
    return got


def browse(address):
    """Where the person's browser gets to, by the login page and what else is asked."""
    answer = requests.get(PERSON, params={"to": address}, timeout=30)
    answer.raise_for_status()
    return answer.text


def must(good, what):
    if not good:
        raise AssertionError(what)


def refused(work, code):
    """For work that has to fail with an OAuth error."""
    try:
        work()
    except Exception as err:
        must(getattr(err, "error", None) == code, f"refused with {err!r}")
        return
    raise AssertionError("it is not refused")
