import OAuth2Strategy from 'passport-oauth2'
import { ISSUER, browse, clients, must, step } from './steps.mjs'

// A strategy is all of Passport that speaks to the server; Passport itself gives it
// success and redirect, and the application its session.
for (const { id, secret, callback } of clients) {
  const session = {}
  const run = (query) =>
    new Promise((resolve, reject) => {
      const strategy = new OAuth2Strategy({
        authorizationURL: `${ISSUER}/oauth/authorize`, tokenURL: `${ISSUER}/oauth/token`, clientID: id, clientSecret: secret ?? '',
        callbackURL: callback, scope: ['openid', 'profile'], state: true, pkce: true,
      }, (access, refresh, results, profile, done) => done(null, { access, refresh, results }))
      strategy._oauth2.useAuthorizationHeaderforGET(true) // RFC 6750 §2.1; it would write tokens into queries
      strategy.redirect = resolve
      strategy.success = (user) => resolve({ ...user, client: strategy._oauth2 })
      strategy.fail = (info) => reject(new Error(JSON.stringify(info)))
      strategy.error = reject
      strategy.authenticate({ query, session, headers: {}, connection: {} }, {})
    })
  const user = await step(id, 'code+PKCE', async () => {
    const got = await run(Object.fromEntries((await browse(await run({}))).searchParams))
    must(got.access && got.refresh && got.results.id_token, JSON.stringify(got.results))
    return got
  })
  await step(id, 'userinfo', () =>
    new Promise((resolve, reject) => user.client.get(`${ISSUER}/oauth/userinfo`, user.access, (err, body) => {
      if (err) return reject(new Error(JSON.stringify(err)))
      resolve(must(JSON.parse(body).name == 'Alice Example', body))
    })))
  await step(id, 'refresh', () =>
    new Promise((resolve, reject) => user.client.getOAuthAccessToken(user.refresh, { grant_type: 'refresh_token' }, (err, access) =>
      err ? reject(new Error(JSON.stringify(err))) : resolve(access))))
}
