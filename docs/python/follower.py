"""Follows the revocation feed of a Tokenwright server: docs/revocation-feed.md."""

import base64
import json
import logging
import random
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

PINGS_EVERY, MAX_LINE = 5, 64 << 20


class Unavailable(Exception):
    """Nobody can tell whether a token is good: answer 503."""


class Follower(threading.Thread):
    def __init__(self, endpoint, client_id, client_secret, fail_closed=False, max_staleness=30):
        super().__init__(daemon=True)
        pair = ":".join(urllib.parse.quote_plus(half) for half in (client_id, client_secret))
        self.headers = {"Accept": "text/event-stream", "Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
        self.endpoint, self.fail_closed, self.max_staleness = endpoint, fail_closed, max_staleness
        self.entries = None  # (kind, id) → entry; None before the first snapshot
        self.seq, self.heard = None, 0.0

    def age(self):
        """Seconds since the feed said something: a metric."""
        return time.monotonic() - self.heard

    def ended(self, claims, kid):
        """Why a token has ended, or None."""
        if self.entries is None or (self.fail_closed and self.age() > self.max_staleness):
            raise Unavailable("no news of what has ended")
        names = [("token", claims["jti"]), ("client", claims["client_id"]), ("key", kid)]
        if "sid" in claims:  # a user's token
            names = [("user", claims["sub"]), ("session", claims["sid"])] + names
        for entry in filter(None, map(self.entries.get, names)):
            if time.time() < entry["until"] and (entry["kind"] != "user" or claims["epoch"] < entry["epoch"]):
                return entry["reason"]

    def run(self):
        wait = 0.0
        while True:
            refused = False
            try:
                for event in self.events():
                    self.hear(event["event"], int(event["id"]), json.loads(event["data"]))
                    wait = 0.0
                logging.warning("revocation feed lost: the stream ended")
            except Exception as e:  # whatever it is, following has to go on
                logging.warning("revocation feed lost: %s", e)
                refused = isinstance(e, urllib.error.HTTPError) and e.code in (401, 403)
                if isinstance(e, (ValueError, KeyError, TypeError)):
                    self.seq = None  # not understood: a snapshot makes up for it
            wait = min(max(2 * wait, 0.05), 1.0)
            time.sleep((10 if refused else wait) * random.uniform(0.5, 1))

    def events(self):
        headers = dict(self.headers)
        if self.seq is not None and self.age() < self.max_staleness:
            headers["Last-Event-ID"] = str(self.seq)
        request = urllib.request.Request(self.endpoint, headers=headers)
        with urllib.request.urlopen(request, timeout=3 * PINGS_EVERY) as stream:
            event = {}
            while line := stream.readline(MAX_LINE):
                field, _, value = line.decode().rstrip("\r\n").partition(":")
                if field:
                    event[field] = value.removeprefix(" ")
                elif "event" in event:
                    yield event
                    event = {}

    def hear(self, name, seq, data):
        if name == "snapshot":  # one assignment, so that no request sees half of it
            self.entries = {(e["kind"], e["id"]): e for e in sorted(data, key=lambda e: e["seq"])}
        elif name == "revoke":
            self.entries[data["kind"], data["id"]] = data
        now = time.time()
        for key in [k for k, e in list(self.entries.items()) if e["until"] <= now]:
            del self.entries[key]
        self.seq, self.heard = seq, time.monotonic()
