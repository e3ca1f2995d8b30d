import secrets

from steps import CLIENTS, ISSUER, browse, must, refused, step

import requests
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.jwk import KeySet

for id, secret, callback, bye in CLIENTS:
    found = step(id, "discovery", lambda: requests.get(f"{ISSUER}/.well-known/openid-configuration", timeout=30).json())

    def session():
        return OAuth2Session(
            id, secret, scope="openid profile email", redirect_uri=callback, code_challenge_method="S256",
            token_endpoint_auth_method="client_secret_basic" if secret else "none",
            token_endpoint=found["token_endpoint"],
        )

    def login(client):
        verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe()
        request, state = client.create_authorization_url(found["authorization_endpoint"], code_verifier=verifier, nonce=nonce)
        tokens = client.fetch_token(authorization_response=browse(request), code_verifier=verifier, state=state)
        keys = KeySet.import_key_set(requests.get(found["jwks_uri"], timeout=30).json())
        id_token = jwt.decode(tokens["id_token"], keys, algorithms=found["id_token_signing_alg_values_supported"])
        registry = jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": ISSUER}, aud={"essential": True, "value": id}, nonce={"essential": True, "value": nonce},
            exp={"essential": True}, sub={"essential": True},
        )
        registry.validate(id_token.claims)
        return tokens, id_token.claims

    client = session()
    first, claims = step(id, "code+PKCE", lambda: login(client))

    def refresh():
        tokens = client.refresh_token(found["token_endpoint"], refresh_token=first["refresh_token"])
        must(tokens["refresh_token"] != first["refresh_token"] and tokens["id_token"], tokens)
        return tokens

    tokens = step(id, "refresh", refresh)

    def userinfo():
        info = client.get(found["userinfo_endpoint"]).json()
        must(info["sub"] == claims["sub"] and info["email"] == "alice@example.com", info)

    step(id, "userinfo", userinfo)
    if secret:
        step(id, "introspection", lambda: must(
            client.introspect_token(found["introspection_endpoint"], tokens["access_token"]).json()["active"], "inactive"))
        step(id, "client credentials", lambda: OAuth2Session(id, secret, scope="read").fetch_token(
            found["token_endpoint"], grant_type="client_credentials"))
        step(id, "password", lambda: OAuth2Session(id, secret, scope="read").fetch_token(
            found["token_endpoint"], username="alice", password="correct horse battery"))

    def logout():
        query = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": bye, "state": "bye"}
        to = browse(requests.Request("GET", found["end_session_endpoint"], params=query).prepare().url)
        must(to == f"{bye}?state=bye", to)
        refused(lambda: client.refresh_token(found["token_endpoint"], refresh_token=tokens["refresh_token"]), "invalid_grant")

    step(id, "logout", logout)

    def revocation():
        client = session()
        mine, _ = login(client)
        answer = client.revoke_token(found["revocation_endpoint"], mine["refresh_token"], "refresh_token")
        must(answer.status_code == 200, answer.text)
        refused(lambda: client.refresh_token(found["token_endpoint"], refresh_token=mine["refresh_token"]), "invalid_grant")

    step(id, "revocation", revocation)
