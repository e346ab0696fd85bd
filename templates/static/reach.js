// Ways to a place on a page, and which key was meant: shared by the shortcuts and the palette. Does
// nothing by itself when it is loaded.

export function show(element) {
  if (element instanceof HTMLDetailsElement) element.open = true;
}

// Unfolds a part that is written in and puts the cursor into it.
export function write(element) {
  show(element);
  const field = document.getElementById(element?.dataset.focus ?? "");
  field?.focus();
  return Boolean(field);
}

// Unfolds whatever hides a field or a button, and goes there.
export function reach(element) {
  for (let up = element; up; up = up.parentElement) show(up);
  element?.focus();
}

// The key as the table names it. On a layout whose letters are others (Greek, Cyrillic, Arabic), or
// whose figures need Shift, it is the place of the key that counts.
export function keyOf(event) {
  const isOurs = event.key.length === 1 && event.key.charCodeAt(0) < 128;
  const place = /^(?:Key([A-Z])|Digit([0-9]))$/.exec(event.code ?? "");
  if (!place || (isOurs && !(place[2] && !event.shiftKey))) return event.key;
  return place[1]?.toLowerCase() ?? place[2];
}
