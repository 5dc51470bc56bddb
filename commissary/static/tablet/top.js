// The strip at the top: back, the state of the connection, language, help, sign out.
// Every control has its one place on every screen.

import { button, h, icon } from "./paint.js";
import { seat } from "./seat.js";
import { read, voice } from "./voice.js";
import { language, t } from "./words.js";

export function top(app, screen) {
  const other = language() === "en" ? "zh-Hans" : "en";
  return h(
    "div",
    { class: "strip" },
    screen.back
      ? button(t("top.back"), { image: "back", kind: "flat", key: "back", does: () => app.back() })
      : h("span", { class: "cell" }, icon("tablet"), app.device?.cell ?? ""),
    state(app),
    h(
      "span",
      { class: "tools" },
      voice()
        ? button(t("top.listen"), {
            image: "speaker",
            kind: "flat",
            key: "listen",
            does: () => read(document.getElementById("screen")),
          })
        : null,
      h(
        "button",
        {
          type: "button",
          class: "button flat",
          lang: other,
          "data-key": "language",
          on: { click: () => app.speak(other) },
        },
        icon("language"),
        h("span", {}, other === "en" ? "English" : "中文"),
      ),
      app.device && app.name !== "help"
        ? button(t("top.help"), {
            image: "help",
            kind: "flat",
            key: "help",
            does: () => app.go("help", { from: app.name }),
          })
        : null,
      seat.session
        ? button(t("top.leave"), {
            image: "leave",
            kind: "flat",
            key: "leave",
            does: () => app.signOut(),
          })
        : null,
    ),
  );
}

/** Say in a picture and words whether everything has arrived. */
export function state(app) {
  if (!app.device) return h("span", { class: "state" });
  const [kind, image, words] = !app.reached
    ? ["warn", "offline", app.unsent ? t("net.kept", { count: app.unsent }) : t("net.off")]
    : app.unsent
      ? ["warn", "clock", t("net.waiting", { count: app.unsent })]
      : ["good", "tick", t("net.on")];
  return h("span", { class: `state ${kind}` }, icon(image), h("span", {}, words));
}
