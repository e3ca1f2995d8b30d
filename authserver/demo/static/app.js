// The page: what oauth.js gets is shown here, and used.
import { finish, login, refresh } from "./oauth.js";
import { issuer } from "./settings.js";

// Tokens are in this variable and nowhere else. A reload forgets them, and the
// next login asks for no password while the browser is logged in at the server.
let tokens;

const part = (id) => document.getElementById(id);

function show() {
  part("outside").hidden = tokens !== undefined;
  part("inside").hidden = tokens === undefined;
  if (!tokens) return;
  const claims = claimsOf(tokens.access_token);
  part("who").textContent = claims.name ?? claims.username;
  part("until").textContent = time(claims.exp);
  part("claims").replaceChildren(
    ...Object.entries(claims).map(([name, value]) => {
      const row = document.createElement("div");
      row.append(element("dt", name), element("dd", Array.isArray(value) ? value.join(", ") : String(value)));
      return row;
    }),
  );
}

// claimsOf reads a token to show it. Whether it is good is the API's to say: an
// application that only uses a token takes it as it comes.
function claimsOf(token) {
  const payload = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
  return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(payload), (c) => c.charCodeAt(0))));
}

// call asks the API, with the next access token if this one is about to expire.
async function call(path) {
  if (claimsOf(tokens.access_token).exp * 1000 < Date.now() + 10_000) await renew();
  await request("GET", path, tokens.access_token);
}

async function renew() {
  tokens = await refresh(tokens.refresh_token);
  note("POST", "/oauth/token", 200, "A new access token, and the next refresh token.");
  show();
}

async function logout() {
  const old = tokens;
  await request("POST", "/auth/logout", old.access_token);
  tokens = undefined;
  show();
  part("ended").hidden = false;
  part("login").focus();
  await request("GET", "/api/private", old.access_token);
  try {
    await refresh(old.refresh_token);
  } catch (e) {
    note("POST", "/oauth/token", 400, e.message);
  }
}

async function request(method, path, token) {
  const response = await fetch(issuer + path, { method, headers: { Authorization: `Bearer ${token}` } });
  const text = await response.text();
  note(method, path, response.status, text && JSON.stringify(JSON.parse(text), null, 2));
}

// note puts a request and its answer on top of the list.
function note(method, path, status, text) {
  const entry = document.createElement("li");
  const line = element("p", "", "line");
  line.append(
    element("code", `${method} ${path}`),
    element("span", status, status < 400 ? "status good" : "status bad"),
  );
  entry.append(line);
  if (text) entry.append(element("pre", text));
  part("requests").prepend(entry);
  part("none").hidden = true;
}

function element(name, text, className = "") {
  const e = document.createElement(name);
  e.textContent = text;
  e.className = className;
  return e;
}

const time = (seconds) => new Date(seconds * 1000).toLocaleTimeString();

// attempt is what a button does: its fault is shown, and while it is at work it
// cannot be pressed again, for a refresh token counts once.
async function attempt(work) {
  const buttons = document.querySelectorAll("button");
  part("fault").hidden = true;
  for (const b of buttons) b.disabled = true;
  try {
    await work();
  } catch (e) {
    if (e.code === "invalid_grant") tokens = undefined; // the session has ended
    part("fault").textContent = e.code === "access_denied" ? "You cancelled the login." : e.message;
    part("fault").hidden = false;
    show();
  }
  for (const b of buttons) b.disabled = false;
}

part("login").addEventListener("click", () => attempt(login));
part("private").addEventListener("click", () => attempt(() => call("/api/private")));
part("admin").addEventListener("click", () => attempt(() => call("/api/admin")));
part("refresh").addEventListener("click", () => attempt(renew));
part("logout").addEventListener("click", () => attempt(logout));
part("leave").href = `${issuer}/logout`;

await attempt(async () => {
  tokens = await finish();
  if (tokens) note("POST", "/oauth/token", 200, "The code from the address, for an access token and a refresh token.");
  show();
});
document.body.dataset.ready = "";
