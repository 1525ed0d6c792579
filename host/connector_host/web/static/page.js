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
  document.addEventListener("htmx:sendError", function () {
    document.getElementById("working").textContent = "The host does not answer. Is it still running?";
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
