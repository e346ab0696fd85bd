// The key ? opens the help of the page and shuts it again. Loaded by the frame; without it the help is a
// plain element that opens by itself.

const help = document.querySelector("[data-help]");

function toggle(event) {
  if (event.key !== "?" || event.ctrlKey || event.metaKey || event.altKey || !help) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  if (localStorage.getItem("helpline-keys") === "off" || document.querySelector("dialog[open]")) return;
  event.preventDefault();
  event.stopPropagation(); // it is no beginning of a word (console.js)
  help.open = !help.open;
  if (help.open) help.querySelector("summary").focus();
}
document.addEventListener("keydown", toggle, true);

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !help?.open || !help.contains(document.activeElement)) return;
  help.open = false;
});
