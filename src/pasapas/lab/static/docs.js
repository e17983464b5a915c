// Shows the description of the API, with Swagger UI, which comes as a script of its own.
// @ts-expect-error it has no types here
window.SwaggerUIBundle({ url: "/openapi.json", dom_id: "#api", deepLinking: true, validatorUrl: null });
