from steps import AUDIENCE, ISSUER, WEB_SECRET, must, step

import jwt
import requests

# As an API does it that knows the issuer alone.
found = step("web", "discovery", lambda: requests.get(f"{ISSUER}/.well-known/openid-configuration", timeout=30).json())
keys = jwt.PyJWKClient(found["jwks_uri"])
tokens = step("web", "password", lambda: requests.post(found["token_endpoint"], timeout=30, auth=("web", WEB_SECRET), data={
    "grant_type": "password", "username": "alice", "password": "correct horse battery", "scope": "openid read"}).json())


def verified(token, audience, kind):
    claims = jwt.decode_complete(token, keys.get_signing_key_from_jwt(token), issuer=ISSUER, audience=audience,
                                 algorithms=found["id_token_signing_alg_values_supported"])
    must(claims["header"]["typ"] == kind, claims)


step("web", "access token", lambda: verified(tokens["access_token"], AUDIENCE, "at+jwt"))
step("web", "ID token", lambda: verified(tokens["id_token"], "web", "JWT"))
