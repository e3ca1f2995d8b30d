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


def add(entries, entry):
    """What raises a user's session epoch stands beside what raises the epoch: the two add up."""
    key = entry["kind"], entry["id"]
    if key[0] != "user":
        entries[key] = entry
        return
    for key, epoch in (key, "epoch"), (("sessions", key[1]), "session_epoch"):
        new = {"epoch": 0, "session_epoch": 0, "kept": [], **entry}
        less, more = sorted((entries.get(key, new), new), key=lambda e: e[epoch])
        kept = more["kept"] if less[epoch] < more[epoch] else [sid for sid in more["kept"] if sid in less["kept"]]
        entries[key] = {**more, "kept": kept, "until": max(less["until"], more["until"])}


def ends(kind, entry, claims):
    if kind == "user":
        return claims["epoch"] < entry["epoch"]
    if kind == "sessions":
        kept = claims["sid"] in entry["kept"] or claims.get("parent_sid") in entry["kept"]
        return claims.get("session_epoch", 0) < entry["session_epoch"] and not kept
    return True


class Follower(threading.Thread):
    def __init__(self, endpoint, audience, client_id, client_secret, fail_closed=False, max_staleness=30):
        super().__init__(daemon=True)
        pair = ":".join(urllib.parse.quote_plus(half) for half in (client_id, client_secret))
        self.headers = {"Accept": "text/event-stream", "Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
        self.endpoint, self.audience = endpoint, audience
        self.fail_closed, self.max_staleness = fail_closed, max_staleness
        self.entries = None  # (kind, id) → entry; None before the first snapshot
        self.seq, self.copy, self.heard = None, "", 0.0

    def age(self):
        """Seconds since the feed said something: a metric."""
        return time.monotonic() - self.heard

    def ended(self, claims, kid):
        """Why a token has ended, or None."""
        if self.entries is None or (self.fail_closed and self.age() > self.max_staleness):
            raise Unavailable("no news of what has ended")
        names = [("token", claims["jti"]), ("client", claims["client_id"]), ("key", kid)]
        if "sid" in claims:  # a user's token
            names = [("user", claims["sub"]), ("sessions", claims["sub"]), ("session", claims["sid"])] + names
            if "parent_sid" in claims:
                names.append(("session", claims["parent_sid"]))
        for name in names:
            entry = self.entries.get(name)
            if entry and time.time() < entry["until"] and ends(name[0], entry, claims):
                return entry["reason"]

    def run(self):
        wait = 0.0
        while True:
            refused = False
            try:
                for event in self.events():
                    data = json.loads(event["data"])
                    if event["event"] == "part":
                        self.parts += data
                    else:
                        self.hear(event["event"], int(event["id"]), event.get("copy", ""), data)
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
        headers, copy = dict(self.headers), ""
        if self.seq is not None and self.age() < self.max_staleness:
            headers["Last-Event-ID"], copy = str(self.seq), self.copy
        query = urllib.parse.urlencode({"resource": self.audience, "copy": copy})
        request = urllib.request.Request(self.endpoint + "?" + query, headers=headers)
        self.parts = []  # of a snapshot that goes on
        with urllib.request.urlopen(request, timeout=3 * PINGS_EVERY) as stream:
            event = {}
            while line := stream.readline(MAX_LINE):
                field, _, value = line.decode().rstrip("\r\n").partition(":")
                if field:
                    event[field] = value.removeprefix(" ")
                elif "event" in event:
                    yield event
                    event = {}

    def hear(self, name, seq, copy, data):
        if name == "snapshot":  # one assignment, so that no request sees half of it
            entries = {}
            for entry in self.parts + data:
                add(entries, entry)
            self.entries, self.parts = entries, []
        elif name == "revoke":
            add(self.entries, data)
        now = time.time()
        for key in [k for k, e in list(self.entries.items()) if e["until"] <= now]:
            del self.entries[key]
        self.seq, self.copy, self.heard = seq, copy, time.monotonic()
