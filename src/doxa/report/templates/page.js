// What every page does: draws charts, sorts tables. Text of a model reaches the page as text only.
"use strict";
const page = (() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const data = (id) => JSON.parse(document.getElementById(id).textContent);
  const pause = () => new Promise((done) => setTimeout(done));

  function el(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children.filter((child) => child !== null && child !== undefined));
    return node;
  }

  // ---- charts ---------------------------------------------------------------------------------------------------
  const dark = matchMedia("(prefers-color-scheme: dark)");

  function themed(spec) {
    const style = getComputedStyle(document.documentElement), ink = style.getPropertyValue("--soft").trim();
    const text = { labelColor: ink, titleColor: ink, labelFont: "system-ui, sans-serif", titleFont: "system-ui, sans-serif" };
    const config = { ...spec.config };
    for (const part of ["axis", "legend", "header"]) config[part] = { ...config[part], ...text };
    config.title = { ...config.title, color: ink };
    return { ...spec, config: { ...config, background: "transparent" } };
  }

  async function drawCharts() {
    const specs = data("charts");
    for (const box of $$("[data-chart]")) {
      const options = {
        ast: true, renderer: "svg", mode: "vega-lite", tooltip: { theme: dark.matches ? "dark" : "light" },
        actions: { export: true, source: false, compiled: false, editor: false },
      };
      try {
        await window.vegaEmbed(box, themed(specs[+box.dataset.chart]), options);
      } catch (error) {
        box.replaceChildren(el("p", { class: "error" }, `This chart could not be drawn: ${error.message}`));
      }
      await pause();
    }
    document.documentElement.dataset.charts = "drawn";
  }

  // ---- tables that sort by a click ------------------------------------------------------------------------------
  function key(row, column) {
    const cell = row.cells[column], text = cell.dataset.v ?? cell.textContent.trim();
    const plain = text.replaceAll(",", "").replaceAll("\u2212", "-").replace(/\s*%$/, "");
    return plain !== "" && isFinite(plain) ? Number(plain) : text;
  }

  function compare(a, b) {
    if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1; // what is no number stands last
    return typeof a === "number" ? a - b : a.localeCompare(b);
  }

  function sortBy(header) {
    const table = header.closest("table"), body = table.tBodies[0], column = header.cellIndex;
    const up = header.getAttribute("aria-sort") !== "ascending";
    for (const other of $$("th", table)) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", up ? "ascending" : "descending");
    const rows = [...body.rows].map((row) => [key(row, column), row]);
    const [numbers, words] = [rows.filter(([k]) => typeof k === "number"), rows.filter(([k]) => typeof k !== "number")];
    const sign = up ? 1 : -1;
    for (const group of [numbers, words]) group.sort(([a], [b]) => sign * compare(a, b));
    body.append(...[...numbers, ...words].map(([, row]) => row));
  }

  function makeSortable() {
    for (const header of $$("table.sortable th:not(.still)")) {
      if (!header.textContent) continue;
      const button = el("button", { type: "button", title: "sort" }, header.textContent);
      button.addEventListener("click", () => sortBy(header));
      header.replaceChildren(button);
    }
  }

  makeSortable();
  if (window.vegaEmbed) {
    drawCharts();
    dark.addEventListener("change", drawCharts);
  }
  return { $, $$, data, el, pause };
})();
