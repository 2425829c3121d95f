// What an agency's pages do beside forms: go to the faults, copy, print.
"use strict";

document.getElementById("faults")?.focus();

function copyOf(button) {
  const source = document.getElementById(button.dataset.copy);
  if (navigator.clipboard) return navigator.clipboard.writeText(source.value);
  source.select();
  return document.execCommand("copy") ? Promise.resolve() : Promise.reject(new Error("copy"));
}

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    copyOf(button).then(
      () => { button.textContent = button.dataset.copied; },
      () => document.getElementById(button.dataset.copy).select(),
    );
  });
}

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
