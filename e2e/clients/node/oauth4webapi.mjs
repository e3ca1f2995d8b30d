import * as oauth from 'oauth4webapi'
import { AUDIENCE, ISSUER, browse, clients, must, refused, step } from './steps.mjs'

const http = { [oauth.allowInsecureRequests]: true }

for (const { id, secret, callback, bye } of clients) {
  const client = { client_id: id, id_token_signed_response_alg: id == 'es256' ? 'ES256' : 'RS256' }
  const auth = secret ? oauth.ClientSecretPost(secret) : oauth.None()
  const as = await step(id, 'discovery', async () => {
    const issuer = new URL(ISSUER)
    await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { ...http, algorithm: 'oauth2' }))
    return oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, http))
  })
  const login = async () => {
    const verifier = oauth.generateRandomCodeVerifier(), state = oauth.generateRandomState(), nonce = oauth.generateRandomNonce()
    const request = new URL(as.authorization_endpoint)
    request.search = new URLSearchParams({
      client_id: id, redirect_uri: callback, response_type: 'code', scope: 'openid profile email', state, nonce, max_age: '60',
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
    })
    const answer = oauth.validateAuthResponse(as, client, await browse(request.href), state)
    const res = await oauth.authorizationCodeGrantRequest(as, client, auth, answer, callback, verifier, http)
    const got = await oauth.processAuthorizationCodeResponse(as, client, res.clone(), { expectedNonce: nonce, maxAge: 60, requireIdToken: true })
    return { ...got, claims: oauth.getValidatedIdTokenClaims(got), res }
  }
  const refresh = async (token) =>
    oauth.processRefreshTokenResponse(as, client, await oauth.refreshTokenGrantRequest(as, client, auth, token, http))

  const first = await step(id, 'code+PKCE', login)
  await step(id, 'access token', async () => {
    const request = new Request('https://api.test/', { headers: { authorization: `Bearer ${first.access_token}` } })
    const claims = await oauth.validateJwtAccessToken(as, request, AUDIENCE, http)
    must(claims.sub == first.claims.sub && claims.client_id == id, JSON.stringify(claims))
  })
  const tokens = await step(id, 'refresh', async () => {
    const next = await refresh(first.refresh_token)
    must(oauth.getValidatedIdTokenClaims(next).sub == first.claims.sub, JSON.stringify(next))
    return next
  })
  await step(id, 'userinfo', async () => {
    const info = await oauth.processUserInfoResponse(as, client, first.claims.sub, await oauth.userInfoRequest(as, client, tokens.access_token, http))
    must(info.email == 'alice@example.com' && info.email_verified === false, JSON.stringify(info))
  })
  if (secret) {
    await step(id, 'introspection', async () => {
      const got = await oauth.processIntrospectionResponse(as, client, await oauth.introspectionRequest(as, client, auth, tokens.access_token, http))
      must(got.active && got.client_id == id, JSON.stringify(got))
    })
    await step(id, 'client credentials', async () =>
      oauth.processClientCredentialsResponse(as, client, await oauth.clientCredentialsGrantRequest(as, client, auth, { scope: 'read' }, http)))
  }
  await step(id, 'revocation', async () => {
    await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, auth, tokens.refresh_token, http))
    await refused(() => refresh(tokens.refresh_token), 'invalid_grant')
  })
  await step(id, 'logout', async () => {
    const mine = await login()
    const ask = new URL(as.end_session_endpoint)
    ask.search = new URLSearchParams({ id_token_hint: mine.id_token, post_logout_redirect_uri: bye })
    const to = await browse(ask.href)
    must(to.href == bye, to.href)
    await refused(() => refresh(mine.refresh_token), 'invalid_grant')
  })
}
