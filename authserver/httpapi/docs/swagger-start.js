const ui = SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  persistAuthorization: false,
  validatorUrl: null, // would send the document to another host
});
ui.initOAuth({ clientId: "swagger-ui" });
