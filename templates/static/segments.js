// How many text messages a text is sent as: the same rule as rules/segments.py, in the browser. A test
// puts the same texts to both (tests/browser/test_segments.py), so that neither can change alone.

const PLAIN = new Set(
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà",
);
const DOUBLE = new Set("^{}\\[~]|€\f");

// {places, count, left, strange}: places taken, messages, places left in the last one, and the first
// letter that made them short ("" where none did).
export function partsOf(text) {
  const letters = [...text];
  const strange = letters.find((letter) => !PLAIN.has(letter) && !DOUBLE.has(letter)) ?? "";
  const widths = letters.map((letter) => (strange ? letter.length : DOUBLE.has(letter) ? 2 : 1));
  return { ...filled(widths, ...(strange ? [70, 67] : [160, 153])), strange };
}

// A letter of two places is never cut in half: it goes whole into the next message.
function filled(widths, alone, each) {
  const places = widths.reduce((sum, width) => sum + width, 0);
  if (places <= alone) return { places, count: 1, left: alone - places };
  let count = 1;
  let used = 0;
  for (const width of widths) {
    if (used + width > each) {
      count += 1;
      used = 0;
    }
    used += width;
  }
  return { places, count, left: each - used };
}

// The text as it is cut into messages.
export function piecesOf(text) {
  const { count, strange } = partsOf(text);
  if (count === 1) return [text];
  const pieces = [""];
  let used = 0;
  for (const letter of text) {
    const width = strange ? letter.length : DOUBLE.has(letter) ? 2 : 1;
    if (used + width > (strange ? 67 : 153)) {
      pieces.push("");
      used = 0;
    }
    pieces[pieces.length - 1] += letter;
    used += width;
  }
  return pieces;
}
