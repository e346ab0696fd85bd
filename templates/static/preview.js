// How a reply will look on the other phone, while it is typed: the same pieces in which it is sent.
// Without this a button asks the helpline for the same.

import { piecesOf } from "./segments.js";

for (const look of document.querySelectorAll("[data-look]")) {
  const field = look.closest("form")?.elements.text;
  const place = look.querySelector("[data-look-text]");
  const none = look.querySelector("[data-look-none]");
  look.querySelector("[data-look-ask]").hidden = true;
  if (!field || "neutral" in look.dataset) continue;

  const draw = () => {
    const text = field.value.trim();
    const pieces = text ? ("cut" in look.dataset ? piecesOf(text) : [text]) : [];
    place.replaceChildren(
      ...pieces.map((piece) => {
        const bubble = document.createElement("p");
        bubble.className = "hl-look__bubble";
        bubble.dir = "auto";
        bubble.textContent = piece;
        return bubble;
      }),
    );
    none.hidden = pieces.length > 0;
  };
  field.addEventListener("input", draw);
  draw();
}
