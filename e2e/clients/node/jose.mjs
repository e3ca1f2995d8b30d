import { createRemoteJWKSet, jwtVerify } from 'jose'
import { AUDIENCE, ISSUER, WEB_SECRET, step } from './steps.mjs'

// As an API does it that knows the issuer alone.
const { jwks_uri } = await step('web', 'discovery', async () => (await fetch(`${ISSUER}/.well-known/openid-configuration`)).json())
const keys = createRemoteJWKSet(new URL(jwks_uri))
const tokens = await step('web', 'password', async () =>
  (await fetch(`${ISSUER}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'password', client_id: 'web', client_secret: WEB_SECRET, username: 'alice', password: 'correct horse battery', scope: 'openid read',
    }),
  })).json())
await step('web', 'access token', () => jwtVerify(tokens.access_token, keys, { issuer: ISSUER, audience: AUDIENCE, typ: 'at+jwt' }))
await step('web', 'ID token', () => jwtVerify(tokens.id_token, keys, { issuer: ISSUER, audience: 'web', typ: 'JWT', algorithms: ['RS256'] }))
