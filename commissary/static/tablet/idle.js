// A tablet left lying: amounts hide, a question, then the person is signed out.

export const HIDE_MS = 90_000;
export const WARN_MS = 150_000;
export const LEAVE_MS = 180_000;

let touched = Date.now();
let reached = "back";

/** Count from now: somebody is there. */
export function touch() {
  touched = Date.now();
}

/**
 * Call `stage("hide" | "warn" | "leave")` once each while nobody touches the tablet, and
 * `stage("back")` when somebody does again.
 * The clock is compared, not added up: a tablet that slept knows how long.
 */
export function watch(stage) {
  const look = () => {
    const idle = Date.now() - touched;
    const now =
      idle >= LEAVE_MS ? "leave" : idle >= WARN_MS ? "warn" : idle >= HIDE_MS ? "hide" : "back";
    if (now !== reached) {
      reached = now;
      stage(now);
    }
  };
  for (const event of ["pointerdown", "keydown"]) {
    // While the question stands, only its button counts as an answer.
    const came = () => {
      if (reached === "warn") return;
      touch();
      look();
    };
    document.addEventListener(event, came, { capture: true });
  }
  setInterval(look, 1_000);
}
