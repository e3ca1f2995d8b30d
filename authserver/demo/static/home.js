// Not to be copied: the demo is served by the authorization server itself, which
// answers under more names than it calls itself by. The page goes to that one,
// since a page of another origin has to be registered.
import { issuer } from "./settings.js";

if (location.origin !== new URL(issuer).origin) location.replace(`${issuer}/demo/`);
