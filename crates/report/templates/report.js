"use strict";
// Search, sorting, grouping and paging of tables, and the choice of light or dark. Without
// this script every table is simply whole. Texts from the instance are only ever set as text.
(() => {
  const count = new Intl.NumberFormat("en");
  const amount = new Intl.NumberFormat("en", { maximumFractionDigits: 4, useGrouping: false });
  const names = new Intl.Collator("en", { numeric: true });
  const byId = (id) => document.getElementById(id);

  function make(tag, props, ...children) {
    const element = Object.assign(document.createElement(tag), props);
    element.append(...children);
    return element;
  }

  function themes() {
    const button = byId("theme");
    const system = matchMedia("(prefers-color-scheme: dark)");
    const dark = () => (document.documentElement.dataset.theme ?? (system.matches ? "dark" : "light")) === "dark";
    const label = () => (button.textContent = dark() ? "Light" : "Dark");
    button.addEventListener("click", () => {
      document.documentElement.dataset.theme = dark() ? "light" : "dark";
      label();
    });
    system.addEventListener("change", label);
    label();
    button.hidden = false;
  }

  const text = (cell) => cell.textContent.trim();

  // What a cell is sorted by: its number where it has one, else its text.
  function key(row, column) {
    const cell = row.cells[column];
    return "v" in cell.dataset ? (cell.dataset.v === "" ? NaN : Number(cell.dataset.v)) : text(cell);
  }

  function compare(a, b) {
    if (typeof a === "string") return names.compare(a, b);
    // What has no number comes last, whichever way.
    return a - b;
  }

  function enhance(table) {
    const rows = [...table.querySelectorAll("tbody tr")];
    const [body, ...rest] = table.tBodies;
    rest.forEach((part) => part.remove());
    const heads = [...table.tHead.rows[0].cells];
    const texts = new Map();
    const heading = new Map();
    const open = new Set();
    const page = Number(table.dataset.page);
    const tools = document.querySelector(`[data-tools="${table.id}"]`);
    const more = document.querySelector(`[data-more="${table.id}"]`);
    const search = tools.querySelector("input");
    const groups = tools.querySelector("select");
    const status = tools.querySelector("output");
    let sorted = null;
    let down = false;
    let limit = page;

    function words(row) {
      if (!texts.has(row)) texts.set(row, row.textContent.toLowerCase());
      return texts.get(row);
    }

    function found(asked) {
      let list = asked.length ? rows.filter((row) => asked.every((word) => words(row).includes(word))) : rows;
      if (sorted !== null) {
        const keyed = list.map((row) => [key(row, sorted), row]);
        const missing = ([k]) => Number.isNaN(k) || k === "";
        const side = down ? -1 : 1;
        keyed.sort((a, b) => missing(a) - missing(b) || side * compare(a[0], b[0]) || 0);
        list = keyed.map(([, row]) => row);
      }
      return list;
    }

    // `c:1` is the table's own second column, `n:2` the third column of the row that the
    // table of nodes has for the node in the second column.
    function grouping() {
      const [kind, column] = (groups?.value ?? "").split(":");
      if (kind === "c") return (row) => text(row.cells[column]) || "(none)";
      if (kind !== "n") return null;
      const labels = new Map();
      for (const row of nodes) labels.set(text(row.cells[0]), text(row.cells[column]));
      return (row) => labels.get(text(row.cells[1])) || "(none)";
    }

    function head(name, members) {
      if (!heading.has(name)) {
        const button = make("button", { type: "button", textContent: name });
        button.addEventListener("click", () => {
          open.has(name) ? open.delete(name) : open.add(name);
          render();
        });
        heading.set(name, { row: make("tr", { className: "group" }), button });
      }
      const { row, button } = heading.get(name);
      button.setAttribute("aria-expanded", String(open.has(name)));
      const plural = members.length === 1 ? "" : "s";
      const size = make("small", { textContent: `${count.format(members.length)} ${table.dataset.row}${plural}` });
      const first = heads.findIndex((cell) => "sum" in cell.dataset || cell.classList.contains("strip"));
      const lead = make("th", { scope: "rowgroup", colSpan: first < 0 ? heads.length : first }, button, size);
      const cells = heads.slice(lead.colSpan).map((cell, k) => {
        if (cell.classList.contains("strip")) return strip(members);
        const [sum, mean] = ["sum" in cell.dataset, "mean" in cell.dataset];
        if (!sum && !mean) return make("td", {});
        const known = members.map((member) => key(member, lead.colSpan + k)).filter((v) => !Number.isNaN(v));
        const total = known.reduce((all, v) => all + v, 0);
        const percent = known.length ? `mean ${((100 * total) / known.length).toFixed(1)} %` : "–";
        return make("td", { className: "num", textContent: sum ? amount.format(total) : percent });
      });
      row.replaceChildren(lead, ...cells);
      return row;
    }

    // How many of the members are in each column of the matrix.
    function strip(members) {
      const tally = new Map();
      for (const member of members) {
        const mark = member.querySelector(".strip i:not(.was)");
        if (mark) tally.set(mark.style.getPropertyValue("--x"), (tally.get(mark.style.getPropertyValue("--x")) ?? 0) + 1);
      }
      const wide = parseFloat(table.style.getPropertyValue("--w")) >= 18;
      const marks = [...tally].map(([x, n]) => {
        const mark = make("i", { title: `${n} tasks`, textContent: wide ? n : "" });
        mark.style.setProperty("--x", x);
        return mark;
      });
      const cell = make("td", { className: "strip" }, make("div", {}, ...marks));
      cell.setAttribute("aria-hidden", "true");
      return cell;
    }

    function render() {
      const asked = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      const list = found(asked);
      const group = grouping();
      let shown = list;
      if (group) {
        const parts = parted(list, group);
        const ordered = [...parts.keys()].sort(names.compare);
        if (down && groups.value === `c:${sorted}`) ordered.reverse();
        shown = ordered.flatMap((name) => {
          const members = parts.get(name);
          const lead = () => head(name, members);
          return open.has(name) || asked.length ? [lead, ...members] : [lead];
        });
      }
      const focus = document.activeElement;
      // Heads are made only where they are seen.
      body.replaceChildren(...shown.slice(0, limit).map((row) => (typeof row === "function" ? row() : row)));
      if (focus !== document.activeElement && focus.isConnected) focus.focus({ preventScroll: true });
      status.textContent = asked.length
        ? `${count.format(list.length)} of ${count.format(rows.length)} match`
        : `${count.format(rows.length)} in all`;
      more.hidden = shown.length <= limit;
      more.querySelector("span").textContent = `The first ${count.format(Math.min(limit, shown.length))} of ${count.format(shown.length)} rows are shown.`;
    }

    function parted(list, group) {
      const parts = new Map();
      for (const row of list) {
        const name = group(row);
        parts.has(name) ? parts.get(name).push(row) : parts.set(name, [row]);
      }
      return parts;
    }

    heads.forEach((cell, column) => {
      if (cell.classList.contains("strip")) return;
      const button = make("button", { type: "button" }, ...cell.childNodes);
      button.addEventListener("click", () => {
        // Ascending, descending, as it was.
        if (sorted !== column) [sorted, down] = [column, false];
        else if (!down) down = true;
        else [sorted, down] = [null, false];
        heads.forEach((other, k) => {
          if (k === sorted) other.setAttribute("aria-sort", down ? "descending" : "ascending");
          else other.removeAttribute("aria-sort");
        });
        render();
      });
      cell.replaceChildren(button);
    });
    search.addEventListener("input", () => {
      limit = page;
      render();
    });
    groups?.addEventListener("change", () => {
      limit = page;
      render();
    });
    const [next, all] = more.querySelectorAll("button");
    next.addEventListener("click", () => {
      limit += page;
      render();
    });
    all.addEventListener("click", () => {
      limit = Infinity;
      render();
    });
    tools.hidden = false;
    render();
  }

  themes();
  const nodes = [...document.querySelectorAll("#nodes tbody tr")];
  document.querySelectorAll("table[data-page]").forEach(enhance);
  document.documentElement.dataset.ready = "";
})();
