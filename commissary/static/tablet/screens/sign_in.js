// Signing in: the number, then the PIN. Both on keypads; nothing is typed into a field.

import { button, h, icon } from "../paint.js";
import { t } from "../words.js";
import { keys, trouble } from "./parts.js";

const DIGITS = [..."123456789"];
const LETTERS = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"];
const LONGEST_NUMBER = 20;
const SHORTEST_PIN = 4;
const LONGEST_PIN = 6;

/** Digits with erase and a third key in the bottom row, as on a telephone. */
function keypad(press, erase, third) {
  return h(
    "div",
    { class: "pad digits", role: "group" },
    keys(DIGITS, press),
    third,
    keys(["0"], press),
    button(t("pad.erase"), { image: "erase", kind: "key plain", key: "erase", label: t("pad.erase"), does: erase }),
  );
}

/** Who is it: the custody number. */
export const number = {
  draw(app, at) {
    at.number ??= "";
    const type = (key) => {
      if (at.number.length < LONGEST_NUMBER) at.number += key;
      at.letters = false;
      at.trouble = null;
      app.draw();
    };
    const erase = () => {
      at.number = at.number.slice(0, -1);
      app.draw();
    };
    const swap = (word, letters) =>
      button(word, {
        kind: "key plain",
        key: "swap",
        does: () => {
          at.letters = letters;
          app.draw();
        },
      });
    return [
      h(
        "div",
        { class: "pair" },
        h(
          "div",
          { class: "say" },
          icon("person", "", "huge"),
          h("h1", {}, t("number.title")),
          h("p", { class: "lead" }, t("number.text")),
          trouble(at.trouble),
        ),
        h(
          "div",
          { class: "do" },
          h("p", { class: "typed", role: "status", "aria-label": t("number.typed") }, at.number || "\u00a0"),
          at.letters
            ? h(
                "div",
                { class: "pad letters", role: "group" },
                keys(LETTERS, type),
                swap("123", false),
              )
            : keypad(type, erase, swap("ABC", true)),
          button(t("number.next"), {
            image: "next",
            key: "next",
            kind: "wide",
            off: at.number === "",
            does: () => app.go("pin", { number: at.number }),
          }),
        ),
      ),
    ];
  },
};

/** Is it really them: the PIN, shown as dots. */
export const pin = {
  back: "number",
  draw(app, at) {
    at.pin ??= "";
    const type = (key) => {
      if (at.pin.length < LONGEST_PIN) at.pin += key;
      at.trouble = null;
      app.draw();
    };
    const erase = () => {
      at.pin = at.pin.slice(0, -1);
      app.draw();
    };
    const send = () =>
      app.attempt(async () => {
        const typed = at.pin;
        at.pin = "";
        await app.signIn(at.number, typed);
      });
    return [
      h(
        "div",
        { class: "pair" },
        h(
          "div",
          { class: "say" },
          icon("key", "", "huge"),
          h("h1", {}, t("pin.title")),
          h("p", { class: "lead" }, t("pin.text")),
          trouble(at.trouble),
        ),
        h(
          "div",
          { class: "do" },
          h(
            "p",
            { class: "typed secret", role: "status", "aria-label": t("pin.typed", { count: at.pin.length }) },
            Array.from({ length: LONGEST_PIN }, (_, place) => h("i", { class: place < at.pin.length ? "full" : "" })),
          ),
          keypad(type, erase, h("span", {})),
          button(at.busy ? t("wait") : t("pin.send"), {
            image: "tick",
            key: "send",
            kind: "wide",
            off: at.busy || at.pin.length < SHORTEST_PIN,
            does: send,
          }),
        ),
      ),
    ];
  },
};
