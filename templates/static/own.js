// A carer's own page: the fast way out by one press or by Escape three times, and printing. Loaded as a
// module; without it everything works, but for Escape.

const PRESSES = 3;
const WITHIN = 2000;
let pressed = [];

function leave() {
  document.body.classList.add("own--left");
  document.title = "Weather";
  fetch("/page/leaving", { method: "POST", keepalive: true, credentials: "same-origin" }).catch(() => {});
  location.replace(document.body.dataset.exit);
}

document.querySelector("[data-leave]")?.addEventListener("submit", (event) => {
  event.preventDefault();
  leave();
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.repeat) return;
  pressed = [...pressed.filter((at) => event.timeStamp - at < WITHIN), event.timeStamp];
  if (pressed.length >= PRESSES) leave();
});

// A page that comes back out of the browser's memory shows what was there: ask for it anew.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

// On paper nothing can be unfolded: what is folded is printed too, and folded again afterwards.
let unfolded = [];

window.addEventListener("beforeprint", () => {
  unfolded = [...document.querySelectorAll("details:not([open])")];
  for (const one of unfolded) one.open = true;
});

window.addEventListener("afterprint", () => {
  for (const one of unfolded) one.open = false;
});

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
