// Sends files one by one as soon as they are chosen, and follows their inspection.
"use strict";

(() => {
  const form = document.querySelector("form[data-duty]");
  const base = form ? `/duties/${form.dataset.duty}` : location.pathname.replace(/\/$/, "");
  const MOST = 20 * 1024 * 1024;
  const AT_ONCE = 2;
  const PAUSES = [2000, 5000, 10000]; // milliseconds before a lost file is sent again
  const LOOK = 3000;
  const LOOKS = 60;
  const waiting = [];
  let running = 0;

  const size = (count) =>
    count < 1 << 20 ? `${(Math.max(count / 1024, 0.1)).toFixed(1)} KB` : `${(count / (1 << 20)).toFixed(1)} MB`;

  function make(tag, className, text = "") {
    const made = document.createElement(tag);
    made.className = className;
    made.textContent = text;
    return made;
  }

  // The face of a file: its picture from this device, else its ending.
  function faceOf(file) {
    const ending = make("span", "face", file.name.split(".").pop().toUpperCase().slice(0, 5));
    ending.setAttribute("aria-hidden", "true");
    if (!file.type.startsWith("image/")) return ending;
    const picture = make("img", "face");
    picture.alt = "";
    picture.src = URL.createObjectURL(file);
    picture.addEventListener("error", () => picture.replaceWith(ending));
    return picture;
  }

  function button(className, text, name, act) {
    const made = make("button", `plain ${className}`, text);
    made.type = "button";
    made.setAttribute("aria-label", `${text} ${name}`);
    made.addEventListener("click", act);
    return made;
  }

  class Sending {
    constructor(field, file, list) {
      this.field = field;
      this.file = file;
      this.tries = 0;
      this.row = make("li", "");
      this.bar = document.createElement("progress");
      this.bar.max = 1;
      this.bar.setAttribute("aria-label", file.name);
      this.state = make("span", "state", form.dataset.queued);
      this.fault = make("p", "fault small");
      this.fault.setAttribute("role", "status");
      this.retry = button("retry", form.dataset.retry, file.name, () => this.queue());
      this.retry.hidden = true;
      this.build();
      list.append(this.row);
      if (file.size > MOST) this.fail(form.dataset.tooBig, false);
      else this.queue();
    }

    build() {
      const line = make("div", "small quiet");
      line.append(make("span", "size", size(this.file.size)), " ", this.state);
      const about = make("div", "about");
      about.append(make("div", "name", this.file.name), line, this.bar, this.fault);
      const remove = button("remove", form.dataset.remove, this.file.name, () => this.remove());
      this.row.append(faceOf(this.file), about, this.retry, remove);
    }

    get unfinished() {
      return this.row.isConnected && !this.row.dataset.file && !this.dead;
    }

    queue() {
      clearTimeout(this.timer);
      this.dead = false;
      this.fault.textContent = "";
      this.retry.hidden = true;
      this.bar.hidden = false;
      this.state.textContent = form.dataset.queued;
      waiting.push(this);
      next();
    }

    send() {
      this.state.textContent = form.dataset.sending;
      this.request = new XMLHttpRequest();
      const name = encodeURIComponent(this.file.name);
      this.request.open("PUT", `${base}/files/${this.field}?name=${name}`);
      this.request.setRequestHeader("X-CSRF", form.elements.csrf.value);
      this.request.setRequestHeader("Content-Type", "application/octet-stream");
      this.request.responseType = "json";
      this.request.upload.addEventListener("progress", (event) => {
        if (event.lengthComputable) this.bar.value = event.loaded / event.total;
      });
      this.request.addEventListener("load", () => this.answered());
      this.request.addEventListener("error", () => this.lost());
      this.request.addEventListener("loadend", done);
      this.request.send(this.file);
    }

    answered() {
      const { status, response } = this.request;
      if (status === 201) this.arrived(response);
      else if (status >= 500 || status === 408) this.lost();
      else this.fail(status === 413 ? form.dataset.tooBig : response?.told || form.dataset.wrong, false);
    }

    arrived(file) {
      this.bar.hidden = true;
      const twin = document.querySelector(`[data-file="${file.id}"]`);
      if (twin) return this.row.remove(); // the same file was there already
      this.row.dataset.file = file.id;
      show(this.row, file);
      look();
    }

    lost() {
      const pause = PAUSES[this.tries++];
      this.fail(form.dataset.failed, true);
      if (pause) this.timer = setTimeout(() => this.queue(), pause);
    }

    fail(text, again) {
      this.dead = !again;
      this.bar.hidden = true;
      this.state.textContent = "";
      this.fault.textContent = text;
      this.retry.hidden = !again;
    }

    async remove() {
      clearTimeout(this.timer);
      if (this.row.dataset.file) return takeOut(this.row);
      const at = waiting.indexOf(this);
      if (at >= 0) waiting.splice(at, 1);
      this.request?.abort();
      return this.row.remove();
    }
  }

  const all = [];

  function next() {
    while (running < AT_ONCE && waiting.length) {
      running += 1;
      waiting.shift().send();
    }
  }

  function done() {
    running -= 1;
    next();
  }

  async function takeOut(row) {
    const answer = await fetch(`${base}/kept/${row.dataset.file}/remove`, {
      method: "POST",
      headers: { "X-CSRF": form.elements.csrf.value },
    }).catch(() => null);
    if (answer?.ok) row.remove();
    else row.querySelector(".fault").textContent = form.dataset.failed;
  }

  // Inspection

  const COLOURS = { waiting: "yellow", fine: "green", refused: "red" };

  function show(row, file) {
    row.dataset.state = file.state;
    const words = form?.dataset[file.state];
    if (words) row.querySelector(".state").replaceChildren(make("span", `pill ${COLOURS[file.state]}`, words));
    row.querySelector(".fault").textContent = file.told;
  }

  let looking = false;

  async function look(left = LOOKS) {
    if (looking) return;
    looking = true;
    while (left-- > 0 && document.querySelector('[data-state="waiting"]')) {
      await new Promise((resolve) => setTimeout(resolve, LOOK));
      const answer = await fetch(`${base}/files`).catch(() => null);
      if (!answer?.ok) continue;
      for (const file of (await answer.json()).files) {
        const row = document.querySelector(`[data-file="${file.id}"]`);
        if (row && row.dataset.state !== file.state) show(row, file);
      }
    }
    looking = false;
  }

  look();
  if (!form) return;
  form.classList.add("scripted");

  for (const part of form.querySelectorAll("[data-files]")) {
    const input = part.querySelector('input[type="file"]');
    const list = part.querySelector(".files");
    for (const old of list.querySelectorAll("button.remove")) {
      old.addEventListener("click", (event) => {
        event.preventDefault();
        takeOut(old.closest("li"));
      });
    }
    input.addEventListener("change", () => {
      for (const file of input.files) all.push(new Sending(part.dataset.files, file, list));
      input.value = ""; // they are sent here, not again with the form
    });
  }

  form.addEventListener("submit", (event) => {
    if (event.submitter?.value === "draft" || !all.some((one) => one.unfinished)) return;
    event.preventDefault();
    delete form.dataset.sent;
    document.getElementById("kept").textContent = form.dataset.unfinished;
  });
  window.addEventListener("online", () => {
    for (const one of all) if (one.unfinished && !one.retry.hidden) one.queue();
  });
})();
