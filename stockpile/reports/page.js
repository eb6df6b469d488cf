"use strict";
// Tables are sorted by the column whose heading is clicked; a row of sums stays last.
for (const table of document.querySelectorAll("table")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    head.querySelector("button").addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = (row) => {
        const cell = row.cells[column];
        return "value" in cell.dataset ? Number(cell.dataset.value) : cell.textContent;
      };
      const rows = [...table.tBodies[0].rows].filter((row) => !row.classList.contains("total"));
      rows.sort((a, b) => {
        const [x, y] = [key(a), key(b)];
        const order = typeof x === "number" && typeof y === "number"
          ? x - y
          : typeof x === typeof y ? x.localeCompare(y, document.documentElement.lang)
          : typeof x === "number" ? -1 : 1;
        return down ? -order : order;
      });
      const total = table.querySelector("tr.total");
      for (const row of rows) table.tBodies[0].insertBefore(row, total);
    });
  });
}
// What is folded is printed all the same.
addEventListener("beforeprint", () => {
  for (const part of document.querySelectorAll("details")) part.open = true;
});
// The values of a mark, where the mouse points at it.
for (const mark of document.querySelectorAll("svg [aria-roledescription][aria-label]")) {
  if (mark.childElementCount === 0) {
    const title = document.createElementNS("http://www.w3.org/2000/svg", "title");
    title.textContent = mark.getAttribute("aria-label");
    mark.append(title);
  }
}
