// Keeps what is typed: on the server, or on this device while the network is away. Shows shares.
"use strict";

(() => {
  const form = document.querySelector("form[data-duty]");
  if (!form) return;
  const status = document.getElementById("kept");
  const key = `duban-draft-${form.dataset.duty}`;
  const address = `/duties/${form.dataset.duty}/draft`;
  const PAUSE = 1500; // milliseconds after the last key
  const AGAIN = 15000; // while the network is away
  let timer = 0;
  let dirty = false;

  const personal = (name) => name === "csrf" || name === "_person" || name === "_telephone";

  function typed() {
    const data = new FormData(form);
    for (const [name, value] of [...data]) {
      if (typeof value !== "string" || (personal(name) && name !== "csrf")) data.delete(name);
    }
    return data;
  }

  // What this device remembers; a browser may refuse to.
  function remember(fields) {
    try {
      if (fields) localStorage.setItem(key, JSON.stringify(fields));
      else localStorage.removeItem(key);
    } catch { /* nothing to remember with */ }
  }

  function remembered() {
    try {
      return JSON.parse(localStorage.getItem(key) || "null");
    } catch {
      return null;
    }
  }

  function later(pause) {
    clearTimeout(timer);
    timer = setTimeout(save, pause);
  }

  async function save() {
    const data = typed();
    dirty = false;
    try {
      const answer = await fetch(address, { method: "POST", body: data });
      const said = await answer.json();
      status.textContent = answer.ok ? `${form.dataset.kept} ${said.saved}` : said.told;
      if (answer.ok) remember(null);
    } catch {
      data.delete("csrf");
      const fields = Object.fromEntries(data);
      remember({ version: form.dataset.version, fields });
      status.textContent = form.dataset.offline;
      dirty = true;
      later(AGAIN);
    }
  }

  // What was typed while the network was away goes on top of what the server has.
  function restore() {
    const found = remembered();
    if (!found || found.version !== form.dataset.version) return remember(null);
    for (const [name, value] of Object.entries(found.fields)) {
      const field = form.elements.namedItem(name);
      if (field && "value" in field && field.type !== "hidden") field.value = value;
    }
    later(0);
  }

  form.addEventListener("input", (event) => {
    if (event.target.type === "file" || personal(event.target.name)) return;
    dirty = true;
    later(PAUSE);
  });
  form.addEventListener("submit", () => clearTimeout(timer));
  window.addEventListener("online", () => dirty && later(0));
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState !== "hidden" || !dirty || form.dataset.sent) return;
    if (navigator.sendBeacon(address, typed())) dirty = false;
  });

  // The count as the server will read it: full-width digits and commas are understood.
  function count(text) {
    const plain = text.normalize("NFKC").replace(/\s/g, "");
    return /^\d{1,15}$|^\d{1,3}(,\d{3})+$/.test(plain) ? Number(plain.replaceAll(",", "")) : NaN;
  }

  function show(ratio) {
    const [upper, lower] = [...ratio.querySelectorAll("input")].map((input) => count(input.value));
    const output = ratio.querySelector("output");
    const sound = upper >= 0 && lower > 0 && upper <= lower;
    const share = Math.floor((1000 * upper) / lower) / 10;
    const target = Number(ratio.dataset.target);
    output.textContent = sound ? `${share.toFixed(1)}%` : "";
    output.className = sound && target ? ((100 * upper) / lower >= target ? "met" : "unmet") : "";
  }

  for (const ratio of form.querySelectorAll("[data-ratio]")) {
    ratio.addEventListener("input", () => show(ratio));
    show(ratio);
  }
  restore();
  for (const ratio of form.querySelectorAll("[data-ratio]")) show(ratio);
})();
