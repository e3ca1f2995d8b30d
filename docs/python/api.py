"""A FastAPI application that takes access tokens of a Tokenwright server.

    ISSUER=https://auth.example.com AUDIENCE=https://api.example.com \
    CLIENT_ID=api CLIENT_SECRET=… uvicorn api:app
"""

import json
import os
import threading
import time
import urllib.request

import jwt
from fastapi import Depends, FastAPI, HTTPException, Request

from follower import Follower, Unavailable

ISSUER, AUDIENCE = os.environ["ISSUER"], os.environ["AUDIENCE"]
COOLDOWN, MAX_AGE, LEEWAY = 5, 300, 30
REQUIRED = ["iss", "sub", "aud", "client_id", "iat", "exp", "jti"]


def fetch(url):
    with urllib.request.urlopen(url, timeout=5) as answer:
        return json.load(answer)


metadata = fetch(ISSUER + "/.well-known/oauth-authorization-server")
if metadata["issuer"] != ISSUER:
    raise SystemExit("the metadata is of another issuer: " + metadata["issuer"])


class Keys:
    """The issuer's keys: one request for an unknown kid in COOLDOWN seconds."""

    def __init__(self, url):
        self.url, self.keys, self.fetched, self.lock = url, {}, float("-inf"), threading.Lock()

    def key(self, kid):
        with self.lock:
            age = time.monotonic() - self.fetched
            if age > MAX_AGE or (kid not in self.keys and age > COOLDOWN):
                self.fetched = time.monotonic()
                try:
                    self.keys = {k["kid"]: (k["alg"], jwt.PyJWK(k).key) for k in fetch(self.url)["keys"]}
                except OSError:
                    pass  # the last good ones do
            if not self.keys:
                raise Unavailable("no keys of the issuer")
            return self.keys.get(kid)


keys = Keys(metadata["jwks_uri"])
follower = Follower(metadata["revocation_feed_endpoint"], os.environ["AUDIENCE"], os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"])
follower.start()


def refuse(status, detail, challenge=None, headers=None):
    return HTTPException(status, detail, headers={"WWW-Authenticate": challenge} if challenge else headers)


def claims(request: Request) -> dict:
    """The dependency: the claims of a good token, or 401 or 503."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise refuse(401, "Not authenticated", "Bearer")
    try:
        header = jwt.get_unverified_header(token)
        if header.get("typ", "").lower() not in ("at+jwt", "application/at+jwt") or "crit" in header:
            raise jwt.InvalidTokenError("not an access token")
        found = keys.key(header.get("kid"))
        if found is None:
            raise jwt.InvalidTokenError("unknown key")
        algorithm, key = found
        good = jwt.decode(token, key, algorithms=[algorithm], audience=AUDIENCE, issuer=ISSUER, leeway=LEEWAY,
                          options={"require": REQUIRED, "verify_iat": False})
        reason = follower.ended(good, header["kid"])
    except Unavailable:
        raise refuse(503, "Credentials cannot be checked at the moment", headers={"Retry-After": "1"})
    except (jwt.PyJWTError, ValueError, TypeError, AttributeError, KeyError):
        raise refuse(401, "Could not validate credentials", 'Bearer error="invalid_token"')
    if reason:
        detail = "Inactive user" if reason == "user_disabled" else "Could not validate credentials"
        raise refuse(401, detail, 'Bearer error="invalid_token"')
    return good


def scope(name):
    """A dependency that also wants a scope."""

    def check(good: dict = Depends(claims)):
        if name not in good.get("scope", "").split(" "):
            raise refuse(403, "Insufficient permissions", f'Bearer error="insufficient_scope", scope="{name}"')
        return good

    return check


app = FastAPI()


@app.get("/me")
def me(good: dict = Depends(claims)):
    return {"sub": good["sub"], "username": good.get("username")}


@app.get("/orders")
def orders(good: dict = Depends(scope("read"))):
    return {"orders": [], "of": good["sub"]}
