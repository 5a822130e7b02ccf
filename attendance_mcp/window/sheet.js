"use strict";
// A sheet is whole without this. With it, a register can be narrowed down, and days are written as the reader's country does.

const filters = document.getElementById("filters");

for (const day of document.querySelectorAll("time.day")) {
  const written = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short", year: "numeric" });
  day.textContent = written.format(new Date(`${day.dateTime}T12:00`));
}

function narrow() {
  const [kind, column] = [document.getElementById("kind").value.replaceAll(" ", "-"), document.getElementById("column").value];
  const name = document.getElementById("name").value.trim().toLocaleLowerCase();
  let shown = 0;
  for (const register of document.querySelectorAll(".one-register")) {
    let here = 0;
    for (const row of register.querySelectorAll("tbody tr")) {
      const cells = [...row.querySelectorAll("td[data-column]")].filter((cell) => !column || cell.dataset.column === column);
      const marked = !kind || cells.some((cell) => cell.dataset.kinds.split(" ").includes(kind));
      row.hidden = !(marked && row.querySelector("th").textContent.toLocaleLowerCase().includes(name));
      here += !row.hidden;
    }
    register.hidden = !here;
    shown += here;
  }
  document.getElementById("shown").textContent = `${shown} shown`;
}

if (filters) {
  filters.hidden = false;
  filters.addEventListener("input", narrow);
  filters.addEventListener("submit", (event) => event.preventDefault());
}
