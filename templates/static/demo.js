// The demo's phones: new messages appear as they come, Enter sends, a choice shows at once.

const screens = document.querySelectorAll("[data-screen]");

function toTheEnd() {
  for (const screen of screens) screen.scrollTop = screen.scrollHeight;
}

async function refresh() {
  const answer = await fetch(`/demo/phones${location.search}`);
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const screen of screens) {
    const fresh = page.querySelector(`[data-for="${screen.id}"]`);
    if (fresh) screen.replaceChildren(...fresh.children);
  }
  toTheEnd();
}

const stream = new EventSource("/demo/live");
stream.addEventListener("changed", refresh);
window.addEventListener("pagehide", () => stream.close());

for (const form of document.querySelectorAll(".hl-phone__write")) {
  const text = form.querySelector("textarea");
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  const picker = form.querySelector("input[type=file]");
  picker?.addEventListener("change", () => (text.required = !picker.files.length));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const isFile = form.enctype === "multipart/form-data";
    const fields = new FormData(form, event.submitter);
    const body = isFile ? fields : new URLSearchParams(fields);
    text.value = "";
    if (isFile) form.querySelector("input[type=file]").value = "";
    form.querySelector("details")?.removeAttribute("open");
    text.focus();
    await fetch(form.action, { method: "POST", body, redirect: "manual" });
    await refresh();
  });
}

for (const form of document.querySelectorAll("[data-choose]")) {
  form.addEventListener("change", () => form.requestSubmit());
}

toTheEnd();
