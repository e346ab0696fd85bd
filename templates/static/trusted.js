// The one door through which text becomes page (Trusted Types). The content policy lets no other
// policy than these two be made, so that whatever a library writes into a page comes through here:
// scripts, frames, handlers and addresses that run something are taken out. We send none; this is
// for the day on which one slips through. Loaded before everything else.

if (window.trustedTypes?.createPolicy) {
  const RUNS = "script, iframe, object, embed, base, link, meta[http-equiv], style";
  const ADDRESSES = ["href", "src", "action", "formaction", "xlink:href", "data", "srcdoc"];
  const asItIs = trustedTypes.createPolicy("inert", { createHTML: (text) => text });

  // Text into a template: parsed, and nothing in it is loaded or run.
  const parsed = (text) => {
    const template = document.createElement("template");
    template.innerHTML = asItIs.createHTML(text);
    return template;
  };

  // Takes out of a piece of page what could run, and says how much that was.
  const clear = (piece) => {
    let taken = 0;
    for (const element of piece.querySelectorAll("*")) {
      if (element.matches(RUNS)) {
        element.remove();
        taken += 1;
        continue;
      }
      if (element.content) taken += clear(element.content);
      for (const { name, value } of [...element.attributes]) {
        const runs = /^(on|hx-on|data-hx-on)/i.test(name);
        // Browsers skip spaces and control characters before and within the first word.
        const word = value.replace(/[\u0000-\u0020]/g, "");
        if (runs || (ADDRESSES.includes(name) && /^(javascript|vbscript|data:text)/i.test(word))) {
          element.removeAttribute(name);
          taken += 1;
        }
      }
    }
    return taken;
  };

  trustedTypes.createPolicy("default", {
    createHTML(text) {
      const template = parsed(text);
      if (!clear(template.content)) return text;
      console.warn("Something in what was to be shown could have run. It was taken out.");
      return template.innerHTML;
    },
    // The one script that is named by text is the worker of the console. No other address is one,
    // and no text is a script: the browser refuses.
    createScriptURL: (text) => (text === "/worker.js" ? text : null),
  });
}
