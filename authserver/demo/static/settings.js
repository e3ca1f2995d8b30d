// Where the authorization server is, and under which id it knows this page.
export const issuer = "https://auth.example.com";
export const clientID = "demo-app";
export const scope = "read write admin profile";
