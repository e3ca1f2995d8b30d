const ui = SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  persistAuthorization: false,
  validatorUrl: null, // would send the document to another host
  oauth2RedirectUrl: new URL("docs/oauth2-redirect.html", location.href).href,
});
ui.initOAuth({ clientId: "swagger-ui", usePkceWithAuthorizationCodeGrant: true });
