// Setting the tablet up, and the two states in which it cannot work.

import { button, h, icon } from "../paint.js";
import { t } from "../words.js";
import { keys, note, trouble } from "./parts.js";

const LENGTH = 8;
// The letters and digits of a one-time code: none that looks like another.
const KEYS = [..."23456789ABCDEFGHJKMNPQRSTUVWXYZ"];

/** The officer types the one-time code from the desk, or it came with the address. */
export const enrol = {
  draw(app, at) {
    at.code ??= "";
    const type = (key) => {
      if (at.code.length < LENGTH) at.code += key;
      at.trouble = null;
      app.draw();
    };
    const send = () => app.attempt(() => app.enrol(at.code));
    return [
      h("h1", {}, t("enrol.title")),
      h("p", { class: "lead" }, t("enrol.text")),
      trouble(at.trouble),
      h(
        "p",
        { class: "boxes", role: "img", "aria-label": t("enrol.typed", { code: [...at.code].join(" ") }) },
        Array.from({ length: LENGTH }, (_, place) => h("span", { class: "box" }, at.code[place] ?? "")),
      ),
      h("div", { class: "pad letters", role: "group" }, keys(KEYS, type)),
      h(
        "div",
        { class: "choices" },
        button(t("pad.erase"), {
          image: "erase",
          kind: "second",
          off: at.code === "",
          does: () => {
            at.code = at.code.slice(0, -1);
            app.draw();
          },
        }),
        button(at.busy ? t("wait") : t("enrol.send"), {
          image: "tick",
          key: "send",
          off: at.busy || at.code.length < LENGTH,
          does: send,
        }),
      ),
    ];
  },
};

/** The server has shut this tablet out; what it still holds stays. */
export const shut = {
  draw(app) {
    return [
      h("h1", {}, t("shut.title")),
      note("officer", t("trouble.device_unknown"), "bad"),
      app.unsent ? note("tablet", t("shut.kept", { count: app.unsent })) : null,
      h(
        "div",
        { class: "choices" },
        button(t("shut.again"), { image: "tablet", kind: "second", does: () => app.go("enrol") }),
      ),
    ];
  },
};

/** Browsers keep nothing safe for a page that came over an open line. */
export const insecure = {
  draw() {
    return [h("h1", {}, t("insecure.title")), icon("locked", "", "huge"), h("p", { class: "lead" }, t("insecure.text"))];
  },
};
