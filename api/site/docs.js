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

// Finds the operations that have all of the words. By itself, Swagger UI searches the tags only.
const search = ({ React }) => {
  const opsFilter = (taggedOps, phrase) => {
    const words = phrase.toLowerCase().split(/\s+/);
    const hasWords = (tag) => (op) => {
      const texts = ["summary", "description", "operationId"].map((field) => op.getIn(["operation", field]));
      const text = [tag, op.get("path"), ...texts].join(" ").toLowerCase();
      return words.every((word) => text.includes(word));
    };
    return taggedOps
      .map((group, tag) => group.update("operations", (ops) => ops.filter(hasWords(tag))))
      .filter((group) => group.get("operations").size);
  };
  const operations = (Original) => (props) =>
    props.specSelectors.taggedOperations().size
      ? React.createElement(Original, props)
      : React.createElement("p", { className: "nothing", role: "status" }, "No endpoint has all of these words.");
  return { fn: { opsFilter }, wrapComponents: { operations } };
};

// Limits of a 64-bit integer are none, and JavaScript rounds them.
const limits = () => ({
  wrapComponents: { ParameterExt: (Original) => (props) => (props.xVal > Number.MAX_SAFE_INTEGER ? null : Original(props)) },
});

// Keeps the focus in the dialog for API keys while it is open, closes it on Escape, and then puts the focus back.
const dialog = ({ React }) => ({
  wrapComponents: {
    authorizationPopup: (Original) => (props) => {
      const ref = React.useRef();
      // Its fields take the focus when they are added, which is before the effect.
      const [opener] = React.useState(() => document.activeElement);
      React.useLayoutEffect(() => {
        const onKey = (event) => {
          if (event.key === "Escape") props.authActions.showDefinitions(false);
          if (event.key !== "Tab") return;
          const fields = [...ref.current.querySelectorAll("a[href], button, input")];
          const index = fields.indexOf(document.activeElement);
          if (index >= 0 && index !== (event.shiftKey ? 0 : fields.length - 1)) return;
          event.preventDefault();
          fields.at(event.shiftKey ? -1 : 0).focus();
        };
        document.addEventListener("keydown", onKey);
        ref.current.querySelector("input, .auth-btn-wrapper button").focus();
        return () => {
          document.removeEventListener("keydown", onKey);
          opener.focus();
        };
      }, []);
      const attributes = { ref, role: "dialog", "aria-modal": true, "aria-label": "API keys" };
      return React.createElement("div", attributes, React.createElement(Original, props));
    },
  },
});

// A link inside of the button that opens an operation cannot be used. The address is set when one is opened.
const links = () => ({ wrapComponents: { DeepLink: (Original) => (props) => Original({ ...props, enabled: false }) } });

// What a screen reader says of the fields and buttons to which Swagger UI gives no name, or another one than they show.
const NAMES = {
  ".operation-filter-input": () => "Search the endpoints",
  ".copy-to-clipboard button": () => "Copy",
  ".close-modal": () => "Close",
  ".auth-btn-wrapper button": (button) => button.textContent,
  ".examples-select-element": () => "Example",
  ".parameters-col_description select": (field) => field.closest("tr").dataset.paramName,
  ".body-param__text": () => "Request body",
};

function nameFields() {
  for (const [selector, name] of Object.entries(NAMES)) {
    for (const field of document.querySelectorAll(selector)) field.setAttribute("aria-label", name(field));
  }
  for (const text of document.querySelectorAll("pre.microlight")) text.tabIndex = 0; // so that keys scroll it
  document.querySelector(".operation-filter-input")?.setAttribute("placeholder", "Search the endpoints");
}

new MutationObserver(nameFields).observe(document.getElementById("reference"), { childList: true, subtree: true });

window.ui = SwaggerUIBundle({
  plugins: [formats, search, limits, dialog, links],
  url: "/openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  filter: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  showCommonExtensions: true,
  syntaxHighlight: { theme: "obsidian" },
  tryItOutEnabled: true,
  // The default is a validator on another site.
  validatorUrl: null,
});
