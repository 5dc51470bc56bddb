// Building what is seen: elements, icons, pictures. Text only ever enters as text, never as markup.

const SVG = "http://www.w3.org/2000/svg";
const folder = document.body.dataset.static;

/**
 * Return a new element. `props`: attributes; `on` maps event names to listeners; a false, null or
 * undefined value leaves the attribute out. Children may be nodes, texts, nested lists or nothing.
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) {
        element.addEventListener(event, listener);
      }
    } else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, value === true ? "" : value);
    }
  }
  element.append(...present(children));
  return element;
}

function present(children) {
  return children
    .flat(Infinity)
    .filter((child) => child !== null && child !== undefined && child !== false);
}

/** Return an icon of the sprite. Without a label it is decoration beside words. */
export function icon(name, label = "", classes = "") {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", `icon ${classes}`.trim());
  svg.setAttribute("viewBox", "0 0 48 48");
  if (label) {
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", label);
  } else {
    svg.setAttribute("aria-hidden", "true");
  }
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${folder}icons.svg#${name}`);
  svg.append(use);
  return svg;
}

/** Return a product's picture; its name always stands beside it, so it is silent for a reader. */
export function picture(product, classes = "") {
  if (!product.picture) return icon("box", "", `picture ${classes}`);
  return h("img", { src: product.picture, alt: "", class: `picture ${classes}`, draggable: "false" });
}

/** Return a large button: an icon and a word. `key` keeps the focus across a redraw. */
export function button(word, { does, kind = "", image = "", label = null, key = word, off = false }) {
  return h(
    "button",
    {
      type: "button",
      class: `button ${kind}`.trim(),
      "aria-label": label,
      "aria-disabled": off ? "true" : null,
      "data-key": key,
      on: { click: (event) => off || does(event) },
    },
    image ? icon(image) : null,
    h("span", {}, word),
  );
}

/** Put `nodes` in place of what `place` holds. The pressed button keeps the focus. */
export function fill(place, ...nodes) {
  const key = place.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  place.replaceChildren(...present(nodes));
  if (key) place.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
}
