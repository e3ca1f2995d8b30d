import * as oidc from 'openid-client'
import { ISSUER, browse, clients, must, refused, step } from './steps.mjs'

for (const { id, secret, callback, bye } of clients) {
  const auth = secret ? oidc.ClientSecretBasic(secret) : oidc.None()
  const config = await step(id, 'discovery', () =>
    oidc.discovery(new URL(ISSUER), id, { id_token_signed_response_alg: id == 'es256' ? 'ES256' : 'RS256' }, auth, { execute: [oidc.allowInsecureRequests] }))
  must(config.serverMetadata().supportsPKCE(), 'PKCE is not found by discovery')

  const login = async (build) => {
    const verifier = oidc.randomPKCECodeVerifier(), state = oidc.randomState(), nonce = oidc.randomNonce()
    const request = await build(config, {
      redirect_uri: callback, scope: 'openid profile email', state, nonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
    })
    return oidc.authorizationCodeGrant(config, await browse(request.href), {
      pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true, maxAge: 60,
    })
  }
  let tokens = await step(id, 'code+PKCE', () => login(oidc.buildAuthorizationUrl))
  if (secret) tokens = await step(id, 'pushed request', () => login(oidc.buildAuthorizationUrlWithPAR))
  const { sub } = tokens.claims()

  tokens = await step(id, 'refresh', async () => {
    const next = await oidc.refreshTokenGrant(config, tokens.refresh_token)
    must(next.claims().sub == sub && next.refresh_token != tokens.refresh_token, JSON.stringify(next))
    return next
  })
  await step(id, 'userinfo', async () => {
    const info = await oidc.fetchUserInfo(config, tokens.access_token, sub)
    must(info.email == 'alice@example.com' && info.name == 'Alice Example', JSON.stringify(info))
  })
  if (secret) {
    await step(id, 'introspection', async () => {
      const got = await oidc.tokenIntrospection(config, tokens.access_token)
      must(got.active && got.sub == sub, JSON.stringify(got))
    })
    await step(id, 'client credentials', () => oidc.clientCredentialsGrant(config, { scope: 'read' }))
    await step(id, 'password', () => oidc.genericGrantRequest(config, 'password', { username: 'alice', password: 'correct horse battery', scope: 'read' }))
  }
  await step(id, 'logout', async () => {
    const to = await browse(oidc.buildEndSessionUrl(config, { id_token_hint: tokens.id_token, post_logout_redirect_uri: bye, state: 'bye' }).href)
    must(to.href == `${bye}?state=bye`, to.href)
    await refused(() => oidc.refreshTokenGrant(config, tokens.refresh_token), 'invalid_grant')
  })
  await step(id, 'revocation', async () => {
    const mine = await login(oidc.buildAuthorizationUrl)
    await oidc.tokenRevocation(config, mine.refresh_token)
    await refused(() => oidc.refreshTokenGrant(config, mine.refresh_token), 'invalid_grant')
  })
}
