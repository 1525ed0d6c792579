// What a page does better with JavaScript: it announces, takes the focus to what went wrong, and sends a form once.
(function () {
  "use strict";

  function focusOnTrouble(root) {
    var found = root.querySelector("[data-focus]");
    if (found) found.focus();
  }

  // A link of an error summary opens the folded group that its field is in, and takes the focus there.
  document.addEventListener("click", function (event) {
    var link = event.target.closest(".summary a[href^='#']");
    if (!link) return;
    var target = document.getElementById(decodeURIComponent(link.getAttribute("href").slice(1)));
    if (!target) return;
    event.preventDefault();
    for (var outer = target.closest("details"); outer; outer = outer.parentElement.closest("details")) outer.open = true;
    if (target.matches("fieldset, details")) target = target.querySelector("input:not([type=hidden]), select, textarea, button, summary") || target;
    target.focus();
    target.scrollIntoView({ block: "center" });
  });

  // A form that was sent cannot be sent again while the answer is awaited.
  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (form.method !== "post") return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    var words = event.submitter && event.submitter.dataset.working;
    if (words) document.getElementById("working").textContent = words;
    if (event.submitter) event.submitter.setAttribute("aria-busy", "true");
  });

  // A page that comes back from the browser's memory can be sent anew.
  window.addEventListener("pageshow", function () {
    document.querySelectorAll("form[data-sent]").forEach(function (form) {
      delete form.dataset.sent;
    });
    document.getElementById("working").textContent = "";
  });

  document.addEventListener("htmx:afterSwap", function (event) {
    focusOnTrouble(event.target);
  });
  var noAnswer = "The host does not answer. Is it still running?";
  document.addEventListener("htmx:sendError", function () {
    var working = document.getElementById("working");
    if (working.textContent !== noAnswer) working.textContent = noAnswer;
  });
  document.addEventListener("htmx:afterOnLoad", function () {
    var working = document.getElementById("working");
    if (working.textContent === noAnswer) working.textContent = "";
  });

  // A part that refreshes by itself does so while the page is in sight and nobody has stopped it. What stands below it
  // does not move up when it gets shorter.
  document.addEventListener("htmx:beforeRequest", function (event) {
    var part = event.target;
    if (part.matches("[data-refreshes]") && (document.hidden || part.dataset.stopped)) event.preventDefault();
  });
  document.addEventListener("htmx:beforeSwap", function (event) {
    var part = event.target;
    if (part.matches("[data-refreshes]")) part.style.minHeight = part.offsetHeight + "px";
  });
  function refresh(part) {
    window.htmx.trigger(part, "refresh");
  }
  document.addEventListener("visibilitychange", function () {
    if (!document.hidden) document.querySelectorAll("[data-refreshes]").forEach(refresh);
  });
  document.querySelectorAll("[data-stops]").forEach(function (button) {
    var part = document.getElementById(button.dataset.stops);
    button.hidden = false;
    button.addEventListener("click", function () {
      var stopping = !part.dataset.stopped;
      part.dataset.stopped = stopping ? "yes" : "";
      button.textContent = stopping ? "Refresh again" : "Stop refreshing";
      if (!stopping) refresh(part);
    });
  });

  // The progress of a run, as the host sends it.
  var run = document.querySelector("[data-live]");
  if (run && window.EventSource) {
    var source = new EventSource(run.dataset.live);
    var log = document.getElementById("run-log");
    source.addEventListener("line", function (event) {
      log.insertAdjacentHTML("beforeend", JSON.parse(event.data));
    });
    source.addEventListener("status", function (event) {
      document.getElementById("run-status").innerHTML = JSON.parse(event.data);
    });
    source.addEventListener("end", function () {
      source.close();
    });
  }

  focusOnTrouble(document);
})();
