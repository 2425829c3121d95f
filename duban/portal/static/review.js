// Keys of the review pages; everything here can be done without them.
"use strict";

const typing = (event) =>
  event.isComposing || event.ctrlKey || event.metaKey || event.altKey ||
  event.target.closest("input:not([type=checkbox]), textarea, select");

const rows = [...document.querySelectorAll("[data-row]")];
const step = (by) => {
  const at = rows.indexOf(document.activeElement);
  const next = rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : at + by];
  next?.focus();
  return Boolean(next);
};
const key = (name) => document.querySelector(`[data-key="${name}"]`);
const follow = (name) => {
  const link = key(name);
  link?.click();
  return Boolean(link);
};
const focus = (name) => {
  const field = key(name);
  field?.focus();
  return Boolean(field);
};

const forward = () => (rows.length ? step(1) : follow("next"));
const back = () => (rows.length ? step(-1) : follow("previous"));
const acts = {
  j: forward,
  k: back,
  ArrowDown: () => rows.length > 0 && forward(), // a single duty's page scrolls with the arrows
  ArrowUp: () => rows.length > 0 && back(),
  a: () => focus("accept"), // Enter accepts: one key hit by mistake must not
  r: () => focus("return"),
  "?": () => follow("help"),
};

document.addEventListener("keydown", (event) => {
  if (!typing(event) && acts[event.key]?.()) event.preventDefault();
});

const all = document.querySelector("[data-all]");
if (all) {
  all.hidden = false;
  all.addEventListener("change", () => {
    for (const box of document.querySelectorAll("input[name=duty]:enabled")) box.checked = all.checked;
  });
}
