// The box in which a person signs: strokes of points in a field of 1000 by 400.
const WIDTH = 1000;
const HEIGHT = 400;
const SVG = "http://www.w3.org/2000/svg";

for (const field of document.querySelectorAll("[data-sign]")) {
  const pad = field.querySelector("svg");
  const kept = field.querySelector("input[name=signature]");
  let strokes = [];
  let line = null;

  const point = (event) => {
    const box = pad.getBoundingClientRect();
    const within = (value, most) => Math.round(Math.min(Math.max(value, 0), 1) * most);
    return [
      within((event.clientX - box.left) / box.width, WIDTH),
      within((event.clientY - box.top) / box.height, HEIGHT),
    ];
  };
  const draw = (stroke) => {
    const drawn = document.createElementNS(SVG, "polyline");
    drawn.setAttribute("points", stroke.join(" "));
    pad.append(drawn);
    return drawn;
  };
  const keep = () => {
    kept.value = strokes.length ? JSON.stringify(strokes) : "";
  };

  pad.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    pad.setPointerCapture(event.pointerId);
    strokes.push([point(event)]);
    line = draw(strokes.at(-1));
  });
  pad.addEventListener("pointermove", (event) => {
    if (!line) return;
    strokes.at(-1).push(point(event));
    line.setAttribute("points", strokes.at(-1).join(" "));
  });
  for (const end of ["pointerup", "pointercancel"]) {
    pad.addEventListener(end, () => {
      line = null;
      keep();
    });
  }
  field.querySelector("[data-clear]").addEventListener("click", () => {
    strokes = [];
    pad.replaceChildren();
    keep();
  });
  // After a refusal the page comes back with what was signed.
  try {
    strokes = JSON.parse(kept.value || "[]");
    strokes.forEach(draw);
  } catch {
    keep();
  }
}

// The reason of a line is asked only once it got less. Without script it is always there.
for (const line of document.querySelectorAll("[data-short]")) {
  const count = line.querySelector("input[type=number]");
  const why = line.querySelector(".why");
  const full = count.max;
  const ask = () => {
    why.hidden = count.value === full && !line.classList.contains("wrong");
  };
  count.addEventListener("input", ask);
  ask();
}
