from steps import CLIENTS, ISSUER, browse, must, refused, step

from oauthlib.oauth2 import BackendApplicationClient, LegacyApplicationClient
from requests_oauthlib import OAuth2Session

TOKEN = f"{ISSUER}/oauth/token"

for id, secret, callback, _ in CLIENTS:
    # Without a secret the client's id has to be asked for.
    who = {"client_secret": secret} if secret else {"include_client_id": True}
    session = OAuth2Session(id, redirect_uri=callback, scope=["openid", "profile", "email"], pkce="S256")

    def login():
        request, _ = session.authorization_url(f"{ISSUER}/oauth/authorize")
        tokens = session.fetch_token(TOKEN, authorization_response=browse(request), **who)
        must(tokens["id_token"] and tokens["expires_in"] > 0, tokens)
        return tokens

    first = step(id, "code+PKCE", login)
    body = {"client_id": id, "client_secret": secret} if secret else {"client_id": id}
    tokens = step(id, "refresh", lambda: session.refresh_token(TOKEN, **body))

    def userinfo():
        info = session.get(f"{ISSUER}/oauth/userinfo").json()
        must(info["email"] == "alice@example.com" and info["preferred_username"] == "alice", info)

    step(id, "userinfo", userinfo)

    def revocation():
        answer = session.post(f"{ISSUER}/oauth/revoke", data={"token": tokens["refresh_token"], **body}, withhold_token=True)
        must(answer.status_code == 200, answer.text)
        refused(lambda: session.refresh_token(TOKEN, refresh_token=tokens["refresh_token"], **body), "invalid_grant")

    step(id, "revocation", revocation)
    if secret:
        step(id, "client credentials", lambda: OAuth2Session(client=BackendApplicationClient(id, scope=["read"])).fetch_token(
            TOKEN, client_secret=secret))
        step(id, "password", lambda: OAuth2Session(client=LegacyApplicationClient(id, scope=["read"])).fetch_token(
            TOKEN, username="alice", password="correct horse battery", client_id=id, client_secret=secret))
