// Login by redirect for a page that has no server of its own: authorization code
// with PKCE (RFC 6749 §4.1, RFC 7636), with the checks of RFC 9700. Copy this file
// and settings.js, and register the address of your page as a redirect URI.
import { clientID, issuer, scope } from "./settings.js";

const redirectURI = new URL(".", location.href).href;
const begun = "oauth"; // in sessionStorage, from the request to its answer

let found; // what discover has found

// server is what the authorization server says of itself (RFC 8414).
export function server() {
  found ??= discover().catch((e) => {
    found = undefined; // the next who asks looks again
    throw e;
  });
  return found;
}

async function discover() {
  const { origin, pathname } = new URL(issuer);
  const path = pathname === "/" ? "" : pathname; // it stands behind the name (§3.1)
  const response = await fetch(`${origin}/.well-known/oauth-authorization-server${path}`);
  if (!response.ok) throw new Error(`${issuer} has no metadata: ${response.status}.`);
  const metadata = await response.json();
  if (metadata.issuer !== issuer) throw new Error(`${issuer} calls itself ${metadata.issuer}.`); // §3.3
  return metadata;
}

// login leaves this page for the server's, which comes back to it with an answer.
export async function login() {
  const { authorization_endpoint } = await server();
  const state = random();
  const verifier = random();
  sessionStorage.setItem(begun, JSON.stringify({ state, verifier }));
  const address = new URL(authorization_endpoint);
  address.search = new URLSearchParams({
    response_type: "code",
    client_id: clientID,
    redirect_uri: redirectURI,
    scope,
    state,
    code_challenge: await sha256(verifier),
    code_challenge_method: "S256",
  });
  location.assign(address);
}

// finish turns the answer in the page's address, if there is one, into tokens.
export async function finish() {
  const answer = new URLSearchParams(location.search);
  if (!answer.has("code") && !answer.has("error")) return undefined;
  history.replaceState(null, "", redirectURI); // an answer is no address to come back to
  const request = JSON.parse(sessionStorage.getItem(begun));
  sessionStorage.removeItem(begun);
  if (!request || answer.get("state") !== request.state) {
    throw new Error("This answer belongs to no login that this tab has begun. Log in again.");
  }
  if (answer.get("iss") !== issuer) throw new Error("This answer comes from another server."); // RFC 9207 §2.4
  if (answer.has("error")) throw refusal(Object.fromEntries(answer));
  return ask({
    grant_type: "authorization_code",
    code: answer.get("code"),
    redirect_uri: redirectURI,
    code_verifier: request.verifier,
  });
}

// refresh gets the next tokens for a refresh token, which counts once.
export function refresh(token) {
  return ask({ grant_type: "refresh_token", refresh_token: token });
}

async function ask(form) {
  const { token_endpoint } = await server();
  const body = new URLSearchParams({ client_id: clientID, ...form });
  const response = await fetch(token_endpoint, { method: "POST", body });
  const answer = await response.json();
  if (!response.ok) throw refusal(answer);
  return answer;
}

function refusal({ error, error_description }) {
  const e = new Error(error_description ? `${error}: ${error_description}` : error);
  e.code = error; // RFC 6749 §4.1.2.1, §5.2
  return e;
}

// random is 256 bits as text, as state and verifier are.
function random() {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

async function sha256(text) {
  return base64url(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))));
}

function base64url(bytes) {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
