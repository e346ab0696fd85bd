// The search of the library above a reply: results while one types, arrow keys to reach them, Enter to
// put the words into the reply. Without this the same form opens a page.

for (const form of document.querySelectorAll("form[data-library]")) listen(form);

function listen(form) {
  const field = form.elements.asked;
  const place = form.querySelector("[data-library-hits]");
  const said = form.querySelector("[data-library-said]");
  const reply = document.getElementById("text");
  if (!reply) return;
  let asking = 0;
  let waits = 0;

  async function look() {
    const mine = ++asking;
    const body = new URLSearchParams({ csrf: form.elements.csrf.value, asked: field.value, part: "list" });
    const answer = await fetch(form.action, { method: "POST", body }).catch(() => null);
    if (mine !== asking) return;
    if (!answer?.ok) {
      said.textContent = "The library does not answer. Press Enter to look for it on a page.";
      return;
    }
    place.innerHTML = await answer.text();
    const found = place.querySelectorAll("[data-put]").length;
    said.textContent = found ? `${found} found. Arrow down to choose, Enter to put it in.` : "Nothing fits.";
  }

  function clear() {
    asking += 1;
    place.replaceChildren();
    said.textContent = "";
  }

  function put(button) {
    const words = button.dataset.put;
    reply.value = reply.value.trim() ? `${reply.value.trimEnd()}\n${words}` : words;
    const hidden = document.createElement("input");
    Object.assign(hidden, { type: "hidden", name: "library", value: button.dataset.version });
    reply.form.append(hidden);
    clear();
    field.value = "";
    reply.focus();
    reply.dispatchEvent(new Event("input", { bubbles: true }));
  }

  field.addEventListener("input", () => {
    clearTimeout(waits);
    if (field.value.trim().length < 2) return clear();
    waits = setTimeout(look, 200);
  });
  form.addEventListener("submit", (event) => {
    const first = place.querySelector("[data-put]");
    if (!first) return; // the page
    event.preventDefault();
    put(first);
  });
  place.addEventListener("click", (event) => {
    const button = event.target.closest("[data-put]");
    if (button) put(button);
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      clear();
      field.focus();
    }
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const all = [...place.querySelectorAll("[data-put]")];
    if (!all.length) return;
    event.preventDefault();
    const next = all.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
    (next < 0 ? field : all[Math.min(next, all.length - 1)]).focus();
  });
}
