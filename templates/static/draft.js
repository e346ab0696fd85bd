// A half-written form survives a dead battery: it is saved as soon as typing pauses, and when
// the page is left. Loaded on the pages of a case; without it the button "Save for later" does the same.

const PAUSE = 700;
const AGAIN = 15000; // after a failure
const LARGEST_ON_LEAVING = 60000; // bytes a browser still sends for a page that is gone

for (const form of document.querySelectorAll("form[data-draft]")) keep(form);

function keep(form) {
  const place = form.querySelector("[data-draft-state]");
  let timer = 0;
  let isChanged = false;
  let isSent = false;

  for (const button of form.querySelectorAll("[data-draft-later]")) button.hidden = true;

  form.addEventListener("input", () => {
    isChanged = true;
    delete form.dataset.kept;
    clearTimeout(timer);
    timer = setTimeout(save, PAUSE);
  });
  form.addEventListener("submit", () => {
    isSent = true;
    clearTimeout(timer);
  });
  window.addEventListener("pageshow", () => (isSent = false));
  window.addEventListener("pagehide", leave);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) leave();
  });

  function leave() {
    clearTimeout(timer);
    save(true);
  }

  async function save(isLeaving = false) {
    if (!isChanged || isSent) return;
    isChanged = false;
    const body = new URLSearchParams(new FormData(form));
    const keepalive = isLeaving && body.toString().length < LARGEST_ON_LEAVING;
    try {
      const answer = await fetch(form.dataset.draft, { method: "POST", body, keepalive });
      if (!answer.ok) throw new Error(String(answer.status));
      if (!isChanged) form.dataset.kept = "yes";
      const time = new Date().toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
      say(`Kept at ${time}, for you alone. It is not sent and not on the record.`);
    } catch {
      isChanged = true;
      say("Not kept: no connection, or you were signed out. Trying again.");
      clearTimeout(timer);
      timer = setTimeout(save, AGAIN);
    }
  }

  function say(text) {
    if (!place) return;
    place.hidden = false;
    place.textContent = text;
  }
}
