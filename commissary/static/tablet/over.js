// A question over the screen. The browser's own dialog keeps the focus and the rest quiet.

import { button, h, icon } from "./paint.js";

const place = document.getElementById("over");

/**
 * Ask something. `choices`: [word, icon, what it does, kind]. `closing` runs however it is closed
 * without a choice.
 */
export function ask({ image, title, text, choices, closing = () => {} }) {
  close();
  const dialog = h(
    "dialog",
    { class: "question", "aria-labelledby": "question-title", on: { cancel: closing } },
    icon(image, "", "huge"),
    h("h2", { id: "question-title" }, title),
    text && h("p", {}, text),
    h(
      "div",
      { class: "choices" },
      choices.map(([word, sign, does, kind = ""]) =>
        button(word, {
          image: sign,
          kind,
          does: () => {
            close();
            does();
          },
        }),
      ),
    ),
  );
  place.replaceChildren(dialog);
  dialog.showModal();
}

/** Take the question away unanswered. */
export function close() {
  place.replaceChildren();
}
