"use strict";
// The API reference: Swagger UI with this service's own OpenAPI document, in the preferred colour scheme.

const dark = matchMedia("(prefers-color-scheme: dark)");
const applyScheme = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
applyScheme();
dark.addEventListener("change", applyScheme);

// For the items of an array Swagger UI looks up a component by type and format, and logs an error for these.
const formats = ({ React }) => {
  const field = (props) => React.createElement(props.getComponent("JsonSchema_string"), props);
  return { components: { JsonSchema_integer_int32: field, JsonSchema_integer_int64: field, JsonSchema_number_double: field } };
};

window.ui = SwaggerUIBundle({
  plugins: [formats],
  url: "/openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  filter: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  // The default is a validator on another site.
  validatorUrl: null,
});
