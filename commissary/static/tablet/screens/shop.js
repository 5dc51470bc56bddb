// The shop: shelves, what stands on one, and one thing seen large.

import { button, h, icon, picture } from "../paint.js";
import { lines, seat, total, want } from "../seat.js";
import { money, named, t } from "../words.js";
import { counter, dots, note } from "./parts.js";

/** Return {most, why}: how many of a product the basket may hold now, and what ends it there. */
function room(app, product) {
  const quantity = seat.basket.get(product.sku) ?? 0;
  const most = product.max_per_order;
  if (quantity >= most) return { most, why: t("shop.most", { most }) };
  const left = seat.limit?.room;
  if (left === undefined || left === null || product.outside_limit) return { most, why: "" };
  const free = left - total(lines(app.shelf), { counted: true });
  if (free >= product.price) return { most, why: "" };
  return { most: quantity, why: t("shop.limit") };
}

function chooser(app, product) {
  const quantity = seat.basket.get(product.sku) ?? 0;
  const { most, why } = room(app, product);
  return [
    counter(product, quantity, {
      most,
      why,
      set: (wanted) => {
        want(product.sku, wanted);
        app.draw();
        app.say(t("shop.said", { name: named(product), quantity: wanted }));
      },
    }),
    quantity > 0 && why ? h("p", { class: "why" }, icon("stop"), why) : null,
  ];
}

/** The foot of every shop screen: what the basket comes to, and the way there. */
function foot(app) {
  const chosen = lines(app.shelf);
  const pieces = chosen.reduce((sum, { quantity }) => sum + quantity, 0);
  return h(
    "div",
    { class: "foot" },
    h("span", { class: "pieces" }, icon("basket"), t("basket.pieces", { count: pieces })),
    h("strong", { class: "amount" }, money(total(chosen))),
    button(t("shop.basket"), {
      image: "next",
      key: "basket",
      off: pieces === 0,
      does: () => app.go("basket"),
    }),
  );
}

const nothing = () => note("offline", t("shop.none"), "warn");

/** The shelves by picture. */
export const categories = {
  back: "home",
  draw(app) {
    const shelves = app.shelf?.categories ?? [];
    return [
      h("h1", {}, t("shop.title")),
      shelves.length === 0 ? nothing() : null,
      h(
        "ul",
        { class: "tiles six" },
        shelves.map((category) =>
          h(
            "li",
            {},
            h(
              "button",
              {
                type: "button",
                class: "tile",
                "data-key": category.code,
                on: { click: () => app.go("shelf", { category: category.code }) },
              },
              picture(category, "huge"),
              h("span", {}, named(category)),
            ),
          ),
        ),
      ),
      app.shelf ? foot(app) : null,
    ];
  },
};

/** What stands on one shelf. */
export const shelf = {
  back: "categories",
  draw(app, at) {
    const category = app.shelf.categories.find(({ code }) => code === at.category);
    const products = app.shelf.products.filter((product) => product.category === at.category);
    return [
      h("h1", {}, category ? named(category) : t("shop.title")),
      products.length === 0 ? note("box", t("shop.empty")) : null,
      h(
        "ul",
        { class: "cards" },
        products.map((product) => card(app, product)),
      ),
      foot(app),
    ];
  },
};

function card(app, product) {
  const quantity = seat.basket.get(product.sku) ?? 0;
  const gone = product.available === false;
  return h(
    "li",
    { class: gone ? "card gone" : quantity ? "card chosen" : "card" },
    h(
      "button",
      {
        type: "button",
        class: "look",
        "data-key": `look-${product.sku}`,
        "aria-label": t("shop.look", { name: named(product) }),
        on: { click: () => app.go("item", { sku: product.sku, category: product.category }) },
      },
      picture(product),
    ),
    h("h2", {}, named(product)),
    h("p", { class: "price" }, h("strong", {}, money(product.price)), " ", h("span", {}, `/ ${named(product, "unit")}`)),
    gone
      ? h("p", { class: "why" }, icon("stop"), t("shop.gone"))
      : [dots(quantity, product.max_per_order), chooser(app, product)],
  );
}

/** One thing, large. */
export const item = {
  back: (at) => ["shelf", { category: at.category }],
  draw(app, at) {
    const product = app.shelf.products.find(({ sku }) => sku === at.sku);
    if (!product) return [h("h1", {}, t("shop.gone")), note("box", t("shop.empty"))];
    const quantity = seat.basket.get(product.sku) ?? 0;
    return [
      h(
        "div",
        { class: "pair item" },
        picture(product, "whole"),
        h(
          "div",
          { class: "do" },
          h("h1", {}, named(product)),
          h("p", { class: "price large" }, h("strong", {}, money(product.price)), " ", h("span", {}, `/ ${named(product, "unit")}`)),
          product.available === false
            ? h("p", { class: "why" }, icon("stop"), t("shop.gone"))
            : [
                dots(quantity, product.max_per_order),
                h("p", {}, t("shop.most", { most: product.max_per_order })),
                product.outside_limit ? h("p", {}, t("shop.outside")) : null,
                chooser(app, product),
              ],
        ),
      ),
      foot(app),
    ];
  },
};
