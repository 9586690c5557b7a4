"use strict";
// The reference: Swagger UI on this service's own description, in the scheme the reader prefers.

const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
follow();
dark.addEventListener("change", follow);

// Of lists it asks for a component by the format of what they hold, and complains that there is none.
const byFormat = ({ React }) => {
  const field = (props) => React.createElement(props.getComponent("JsonSchema_string"), props);
  return { components: { JsonSchema_integer_int32: field, JsonSchema_integer_int64: field, JsonSchema_number_double: field } };
};

window.ui = SwaggerUIBundle({
  plugins: [byFormat],
  url: "/openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  filter: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  // It would ask a server elsewhere.
  validatorUrl: null,
});
