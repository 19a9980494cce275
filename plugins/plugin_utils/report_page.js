"use strict";
// Draws the rows of the table that can be seen, of however many there are. Text nodes only: nothing here makes markup.
(() => {
  const COLUMNS = ["Host", "Certificate", "Outcome", "Old serial", "New serial", "Issuer", "Served", "Revocation", "What failed"];
  const OUTCOME = 2, WHY = 8;
  const FIRST = ["failed", "stopped", "undecided", "to_rotate", "to_repair", "to_finish", "rotated", "repaired", "finished", "kept"];
  const MARGIN = 15, MOST_PRINTED = 2000;
  const byId = (id) => document.getElementById(id);
  const rows = JSON.parse(byId("rows").textContent);
  const box = byId("window"), body = byId("table").tBodies[0], search = byId("search"), outcome = byId("outcome");
  let lines = null, texts = null, height = 0;
  let sort = { column: OUTCOME, up: true };
  let shown = [];

  const make = (tag, text, className) => {
    const element = document.createElement(tag);
    if (text !== undefined && text !== null) element.textContent = visible(text);
    if (className) element.className = className;
    return element;
  };
  // What has no shape, or turns the direction of writing, is written out.
  const visible = (text) => String(text).replace(
    /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\p{Cs}]/gu,
    (found) => "\\u" + found.charCodeAt(0).toString(16).padStart(4, "0"));
  const words = (text) => String(text).replaceAll("_", " ");

  const rank = (row) => {
    const found = FIRST.indexOf(row[OUTCOME]);
    return found < 0 ? FIRST.length : found;
  };
  const compare = (one, other) => {
    const a = rows[one], b = rows[other];
    const by = sort.column === OUTCOME ? rank(a) - rank(b) : order(a[sort.column], b[sort.column]);
    return (sort.up ? by : -by) || order(a[0], b[0]) || order(a[1], b[1]);
  };
  const collator = new Intl.Collator("en", { numeric: true });
  const order = (a, b) => {
    if (a === b) return 0;
    if (a === null || a === undefined) return 1;
    if (b === null || b === undefined) return -1;
    return collator.compare(a, b);
  };

  const choose = () => {
    const wanted = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (wanted.length && !texts) texts = rows.map((row) => row.join("\n").toLowerCase());
    shown = [];
    for (let index = 0; index < rows.length; index++) {
      if (outcome.value && rows[index][OUTCOME] !== outcome.value) continue;
      if (wanted.every((word) => texts[index].includes(word))) shown.push(index);
    }
    shown.sort(compare);
    byId("shown").textContent = `${shown.length} of ${rows.length}`;
    box.scrollTop = 0;
    draw();
  };

  const cellsOf = (index) => {
    const row = rows[index], line = document.createElement("tr");
    COLUMNS.forEach((_name, column) => {
      const value = row[column];
      const cell = document.createElement("td");
      if (column === 0) {
        const open = make("button", value);
        open.type = "button";
        open.addEventListener("click", () => detail(index));
        cell.append(open);
      } else {
        cell.textContent = value === null ? "" : visible(column === OUTCOME || column === 7 ? words(value) : value);
        if (column === OUTCOME && FIRST.includes(value)) cell.className = value;
        if (column === WHY && value) cell.title = visible(value);
      }
      line.append(cell);
    });
    return line;
  };
  const spacer = (pixels) => {
    const line = make("tr", null, "spacer"), cell = document.createElement("td");
    cell.colSpan = COLUMNS.length;
    cell.style.height = `${pixels}px`;
    line.append(cell);
    return line;
  };
  const draw = () => {
    if (!height && shown.length) {
      body.replaceChildren(cellsOf(shown[0]));
      height = body.rows[0].getBoundingClientRect().height || 33;
    }
    const first = Math.max(0, Math.floor(box.scrollTop / (height || 33)) - MARGIN);
    const last = Math.min(shown.length, first + Math.ceil(box.clientHeight / (height || 33)) + 2 * MARGIN);
    fill(first, last);
  };
  const fill = (first, last) => {
    const drawn = document.createDocumentFragment();
    drawn.append(spacer(first * height));
    for (let place = first; place < last; place++) drawn.append(cellsOf(shown[place]));
    drawn.append(spacer((shown.length - last) * height));
    body.replaceChildren(drawn);
  };

  const detail = (index) => {
    lines ??= byId("entries").textContent.split("\n");
    const entry = JSON.parse(lines[index]), list = document.createElement("dl");
    const say = (name, values) => {
      const given = values.filter((value) => value !== null && value !== undefined && value !== "");
      if (!given.length) return;
      list.append(make("dt", name), ...given.map((value) => make("dd", value)));
    };
    const place = (one) => `${one.address} port ${one.port} as ${one.server_name}`;
    const certificate = (one) => one && one.serial && `serial ${one.serial}, key SHA-256 ${one.spki_sha256}`;
    const error = entry.error || {};
    say("Outcome", [words(entry.outcome), entry.told_by && "told by the record on the host"]);
    say("What failed", [error.code && `${error.step}: ${error.msg} (${error.code})`]);
    say("What to do", [error.remedy]);
    say("Why", (entry.decision.reasons || []).map((reason) => `${reason.text} (${reason.code})`));
    say("Names", entry.server_names);
    say("Before", [certificate(entry.before)]);
    say("After", [certificate(entry.after), entry.after.not_after && `valid until ${entry.after.not_after}`]);
    say("Times", Object.entries(entry.times).sort((a, b) => order(a[1], b[1])).map(([verb, at]) => `${at} ${verb}`));
    say("Seen to be served at", ((entry.proof || {}).checked || []).map((one) => `${place(one)}, ${one.at}`));
    const revocation = entry.revocation;
    say("Revocation", revocation ? [`${words(revocation.state)}, ${revocation.reason}, serial ${revocation.serial}`,
      revocation.by && `by right of: ${words(revocation.by)}`] : []);
    say("Seen to be revoked in", ((revocation || {}).seen_in || []).map((one) => `${one.kind} ${one.url}, ${one.at}`));
    say("Keys destroyed", (entry.retirement || {}).destroyed || []);
    say("Could not be seen", (entry.unseen || []).map((one) => `${place(one)}: ${one.msg} (${one.code})`));
    say("Warnings", entry.warnings);
    say("Earlier runs", (entry.history || []).map((one) =>
      `${one.run}: ${words(one.outcome)}${one.error ? `: ${one.error.msg} (${one.error.code})` : ""}`));
    const raw = document.createElement("details");
    raw.append(make("summary", "As in report.json"));
    const all = document.createElement("pre");
    all.textContent = JSON.stringify(entry, null, 2).split("\n").map(visible).join("\n");
    raw.append(all);
    byId("detail-title").textContent = visible(`${entry.host} / ${entry.name}`);
    byId("detail-body").replaceChildren(list, raw);
    byId("detail").showModal();
  };

  COLUMNS.forEach((name, column) => {
    const head = document.createElement("th"), button = make("button", name);
    head.scope = "col";
    button.type = "button";
    button.addEventListener("click", () => {
      sort = { column, up: sort.column === column ? !sort.up : true };
      mark();
      choose();
    });
    head.append(button);
    byId("table").tHead.rows[0].append(head);
  });
  const mark = () => [...byId("table").tHead.rows[0].cells].forEach((head, column) => {
    head.ariaSort = column === sort.column ? (sort.up ? "ascending" : "descending") : null;
  });
  document.querySelectorAll("button.find").forEach((button) => button.addEventListener("click", () => {
    search.value = button.dataset.find;
    outcome.value = "";
    choose();
    byId("certificates").scrollIntoView();
  }));

  let waiting = false;
  box.addEventListener("scroll", () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; draw(); });
  });
  let later = 0;
  search.addEventListener("input", () => { clearTimeout(later); later = setTimeout(choose, 80); });
  outcome.addEventListener("change", choose);
  addEventListener("resize", () => { height = 0; draw(); });
  addEventListener("beforeprint", () => {
    const last = Math.min(shown.length, MOST_PRINTED), note = byId("print-note"), before = height;
    height = 0;
    fill(0, last);
    height = before;
    const left = shown.length - last;
    note.hidden = !left;
    note.textContent = left ? `${left} more are in report.json; filter the table before printing to choose.` : "";
  });
  addEventListener("afterprint", () => { byId("print-note").hidden = true; draw(); });
  mark();
  choose();
})();
