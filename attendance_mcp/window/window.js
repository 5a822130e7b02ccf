"use strict";
// The page works without this. With it, a second click is not sent, and the outcome appears without a reload.

let sent = false;

document.addEventListener("submit", (event) => {
  if (sent) {
    event.preventDefault();
    return;
  }
  sent = true;
  for (const button of document.querySelectorAll("button")) {
    button.setAttribute("aria-disabled", "true"); // not `disabled`: that would take the focus away
  }
  document.getElementById("told").textContent = "One moment.";
});

// Back and forward may bring the page up again as it was left.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

// Paper has nothing to unfold.
window.addEventListener("beforeprint", () => {
  for (const part of document.querySelectorAll("details")) part.open = true;
});

async function look() {
  const answer = await fetch(location.pathname);
  if (!answer.ok) return location.reload();
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const now = fresh.getElementById("plan");
  document.getElementById("plan").replaceWith(now);
  document.title = fresh.title;
  if (now.dataset.state !== "applying") {
    document.getElementById("told").textContent = document.getElementById("end").textContent;
  }
}

async function follow() {
  while (document.querySelector('main[data-state="applying"]')) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    await look().catch(() => {}); // the server may be busy; the next look tells
  }
}

document.addEventListener("DOMContentLoaded", follow);
