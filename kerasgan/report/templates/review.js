"use strict";
(() => {
  const content = JSON.parse(document.getElementById("items").textContent);
  const items = content.items;
  const key = "kerasgan-review-" + content.digest;
  const verdicts = ["right", "partly", "wrong"];
  const element = (id) => document.getElementById(id);
  let state = { reviewer: "", position: 0, marks: {} };

  const restore = () => {
    try {
      const stored = JSON.parse(localStorage.getItem(key));
      if (stored && typeof stored.marks === "object") state = { ...state, ...stored };
    } catch (error) {
      element("message").textContent =
        "This browser does not keep the progress: download the verdicts before you close the page.";
    }
    state.position = Math.min(Math.max(0, state.position | 0), items.length - 1);
  };

  const save = () => {
    try {
      localStorage.setItem(key, JSON.stringify(state));
    } catch (error) {
      element("message").textContent = "The progress cannot be kept: " + error.message;
    }
  };

  const mark = () => state.marks[items[state.position].id] || {};

  const change = (values) => {
    state.marks[items[state.position].id] = { ...mark(), ...values };
    save();
    show();
  };

  const isMarked = (item) => verdicts.includes((state.marks[item.id] || {}).verdict);

  const correctionOf = (item) => {
    const { correction } = state.marks[item.id] || {};
    return correction === undefined || correction === item.caption ? "" : correction;
  };

  const show = () => {
    const item = items[state.position];
    element("image").src = item.image;
    element("caption").textContent = item.caption || "(no words)";
    element("references").replaceChildren(
      ...item.references.map((text) => {
        const line = document.createElement("li");
        line.textContent = text;
        return line;
      })
    );
    element("details").hidden = !item.references.length;
    if (document.activeElement !== element("correction"))
      element("correction").value = mark().correction ?? item.caption;
    for (const button of document.querySelectorAll("[data-verdict]"))
      button.setAttribute("aria-pressed", button.dataset.verdict === mark().verdict);
    const done = items.filter(isMarked).length;
    element("progress").max = items.length;
    element("progress").value = done;
    const isDone = done === items.length;
    element("count").textContent =
      `image ${state.position + 1} of ${items.length}, ` +
      (isDone ? "all with a verdict" : `${done} with a verdict`);
    element("download").classList.toggle("done", isDone);
  };

  const go = (position) => {
    element("correction").blur();
    state.position = Math.min(Math.max(0, position), items.length - 1);
    save();
    show();
  };

  const goToUnmarked = () => {
    const order = items.map((_, step) => (state.position + 1 + step) % items.length);
    const found = order.find((position) => !isMarked(items[position]));
    if (found !== undefined) go(found);
  };

  const giveVerdict = (verdict) => {
    change({ verdict });
    if (state.position < items.length - 1) go(state.position + 1);
  };

  // A spreadsheet would run a cell that begins like a formula.
  const cell = (text) => {
    const safe = /^['=+\-@\t\r\n]/.test(text) ? "'" + text : text;
    return '"' + safe.replaceAll('"', '""') + '"';
  };

  const toCsv = () => {
    const lines = [["image_id", "verdict", "caption", "correction", "reviewer", "row"]];
    for (const item of items) {
      const correction = correctionOf(item);
      if (!isMarked(item) && !correction) continue;
      const { verdict = "" } = state.marks[item.id];
      lines.push([
        item.id, verdict, item.caption, correction, state.reviewer, content.row,
      ]);
    }
    return lines.map((line) => line.map(cell).join(",") + "\r\n").join("");
  };

  const download = () => {
    const link = document.createElement("a");
    const name = state.reviewer.replace(/[^\p{L}\p{N}]+/gu, "-").slice(0, 40);
    link.href = URL.createObjectURL(new Blob([toCsv()], { type: "text/csv" }));
    link.download = name ? `verdicts-${name}.csv` : "verdicts.csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };

  const actions = {
    1: () => giveVerdict("right"),
    2: () => giveVerdict("partly"),
    3: () => giveVerdict("wrong"),
    ArrowLeft: () => go(state.position - 1),
    ArrowRight: () => go(state.position + 1),
    n: goToUnmarked,
    u: () => change({ verdict: undefined }),
    e: () => element("correction").focus(),
  };

  document.addEventListener("keydown", (event) => {
    const isTyping = ["INPUT", "TEXTAREA"].includes(event.target.tagName);
    if (event.key === "Escape") event.target.blur();
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
  for (const button of document.querySelectorAll("[data-verdict]"))
    button.addEventListener("click", () => giveVerdict(button.dataset.verdict));
  element("previous").addEventListener("click", actions.ArrowLeft);
  element("next").addEventListener("click", actions.ArrowRight);
  element("unmarked").addEventListener("click", goToUnmarked);
  element("download").addEventListener("click", download);
  element("correction").addEventListener("input", () =>
    change({ correction: element("correction").value })
  );
  element("reviewer").addEventListener("input", () => {
    state.reviewer = element("reviewer").value;
    save();
  });
  restore();
  element("reviewer").value = state.reviewer;
  show();
})();
