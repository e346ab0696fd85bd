// Starts the behaviour of the two component libraries, on the page and on every piece htmx brings in.
// Loaded once, as a module, from built/; nothing is written into pages, so that the content policy can
// forbid scripts of any other origin and all inline ones. Everything works without it, only plainer.

import * as govuk from "./govuk-frontend.js";
import * as moj from "./moj-frontend.js";

// The libraries look for these two on the body; usually an inline script sets them.
document.body.classList.add("js-enabled", "govuk-frontend-supported");

function start(scope) {
  govuk.initAll({ scope, onError });
  moj.initAll({ scope, onError });
}

// A piece may stand beside others that have long been started: that is no fault.
function onError(error) {
  if (!/already initialised/i.test(error.message)) console.error(error);
}

start(document);
document.body.addEventListener("htmx:load", ({ target }) => {
  // htmx announces the whole body once as well: that is what start(document) has just done.
  if (target === document.body) return;
  // The libraries look inside the scope only; the new piece may itself be what they look for.
  start(target.matches("[data-module]") ? target.parentElement : target);
});
