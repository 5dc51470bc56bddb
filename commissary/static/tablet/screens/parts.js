// Parts that several screens are made of.

import { button, h, icon, picture } from "../paint.js";
import { money, named, t } from "../words.js";

/** A trouble as a picture and its sentence; nothing when there is none. */
export const trouble = (told) =>
  told && h("div", { class: "panel bad", role: "alert" }, icon(told.image, "", "big"), h("p", {}, told.sentence));

/** A fact as a picture and a sentence. */
export const note = (image, sentence, kind = "") =>
  h("div", { class: `panel ${kind}`.trim() }, icon(image, "", "big"), h("p", {}, sentence));

/** Keys of a pad: one button a character; `press(key)` takes one. */
export const keys = (characters, press) =>
  characters.map((key) =>
    h(
      "button",
      { type: "button", class: "button key", "data-key": `key-${key}`, on: { click: () => press(key) } },
      key,
    ),
  );

/** − number +, the number spoken when it changes. `most` and `why` say where it ends. */
export function counter(product, quantity, { set, most, why = "" }) {
  const name = named(product);
  return h(
    "div",
    { class: "counter", role: "group", "aria-label": name },
    button("−", {
      kind: "round",
      label: t("shop.less", { name }),
      key: `less-${product.sku}`,
      off: quantity === 0,
      does: () => set(quantity - 1),
    }),
    h("output", { class: "quantity" }, String(quantity)),
    button("+", {
      kind: "round",
      label: why ? `${t("shop.more", { name })}: ${why}` : t("shop.more", { name }),
      key: `more-${product.sku}`,
      off: quantity >= most,
      does: () => set(quantity + 1),
    }),
  );
}

/** Dots for how many of a product may be in one order; a few of them are worth more than a word. */
export function dots(quantity, most) {
  const label = t("shop.dots", { quantity, most });
  if (most > 8) return h("p", { class: "dots" }, label);
  return h(
    "p",
    { class: "dots", role: "img", "aria-label": label },
    Array.from({ length: most }, (_, place) => h("i", { class: place < quantity ? "full" : "" })),
  );
}

/** A picture with its number: three soaps are a soap and a 3. */
export const counted = ({ product, quantity, as = "li" }) =>
  h(
    as,
    { class: "counted" },
    picture(product),
    h("span", { class: "times" }, `× ${quantity}`),
    h("span", { class: "called" }, named(product)),
  );

/** A covered amount that a tap uncovers for ten seconds. */
export function covered(app, { label, amount }) {
  if (app.balance === null) {
    return h(
      "button",
      { type: "button", class: "covered", "data-key": "reveal", on: { click: () => app.reveal() } },
      icon("eye", "", "big"),
      h("span", {}, label),
      h("span", { class: "blots", "aria-hidden": "true" }, "● ● ● ●"),
      h("span", { class: "tap" }, t("money.tap")),
    );
  }
  return h(
    "button",
    {
      type: "button",
      class: "covered open",
      "data-key": "reveal",
      on: {
        click: () => {
          app.cover();
          app.draw();
        },
      },
    },
    icon("eye", "", "big"),
    h("span", {}, label),
    h("strong", { class: "amount" }, money(amount(app.balance))),
    h("span", { class: "tap" }, t("money.cover")),
  );
}

/** The bar of a limit: how much of `most` is `used`, told in words beside it. */
export const bar = (label, used, most, over = false) =>
  h(
    "div",
    { class: over ? "limit over" : "limit" },
    h("p", {}, over ? icon("stop") : null, label),
    h("progress", { max: most || 1, value: Math.min(used, most), "aria-label": label }),
  );
