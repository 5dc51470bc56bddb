// Reading a screen aloud, for people who do not read. Only with a voice that lives on the tablet:
// others would send what is said to somebody else's machine. Without such a voice nothing is offered.

import { language } from "./words.js";

// What a screen consists of for the ear. Never a balance: a cell has many ears.
const TOLD = [
  "h1",
  ".lead",
  ".panel p",
  ".tile > span",
  ".card h2",
  ".price",
  ".row h2",
  ".counted",
  ".total",
  ".change .old",
  ".change .new",
  ".order h2",
  ".lessons p",
].join(", ");

const synthesis = window.speechSynthesis;

/** Return a voice of this tablet for the language shown, if it has one. */
export function voice() {
  const wanted = language() === "en" ? "en" : "zh";
  const speaks = ({ lang, localService }) => localService && lang.toLowerCase().startsWith(wanted);
  return synthesis?.getVoices().find(speaks) ?? null;
}

/** Call `changed()` when the tablet has found its voices, which it does late. */
export const watch = (changed) => synthesis?.addEventListener?.("voiceschanged", changed);

/** Read a screen aloud from the beginning. */
export function read(screen) {
  hush();
  const words = [...screen.querySelectorAll(TOLD)].map((part) => part.innerText.trim());
  const said = new SpeechSynthesisUtterance(words.filter(Boolean).join("。\n"));
  said.voice = voice();
  said.lang = said.voice.lang;
  said.rate = 0.9;
  synthesis.speak(said);
}

/** Stop reading. */
export const hush = () => synthesis?.cancel();
