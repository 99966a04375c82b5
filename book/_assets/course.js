// The page without this script is complete; with it, the colours switch, code copies, and wide boxes take the focus.
(() => {
  "use strict";
  const root = document.documentElement;

  // Colours: as the system, light, dark.
  const order = ["auto", "light", "dark"];
  const spoken = { auto: "as the system", light: "light", dark: "dark" };
  const chosen = () => root.dataset.theme ?? "auto";
  const button = document.querySelector(".theme-switch");
  const show = () => {
    button.querySelector(".theme-name").textContent = `Colours: ${spoken[chosen()]}`;
    button.title = `Colours: ${spoken[chosen()]}`;
    button.dataset.theme = chosen();
  };
  button.addEventListener("click", () => {
    const next = order[(order.indexOf(chosen()) + 1) % order.length];
    if (next === "auto") delete root.dataset.theme;
    else root.dataset.theme = next;
    try {
      localStorage.setItem("unrolled-theme", next);
    } catch {
      // A browser that keeps nothing still switches this page.
    }
    show();
  });
  show();

  // Escape closes the contents on a phone, where they are opened by a link to them.
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && location.hash === "#contents") location.hash = "#main";
  });

  // A box that scrolls must be reachable by keyboard; one that does not must not stop the reader.
  const boxes = document.querySelectorAll(".equation-body, .scrolls, article pre, .unrolled-figure > div");
  const reach = (box) => {
    if (box.scrollWidth > box.clientWidth + 1) {
      box.tabIndex = 0;
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", box.matches("pre") ? "Code, scrolls sideways" : "Scrolls sideways");
    } else {
      for (const name of ["tabindex", "role", "aria-label"]) box.removeAttribute(name);
    }
  };
  const watch = new ResizeObserver((entries) => entries.forEach((entry) => reach(entry.target)));
  boxes.forEach((box) => watch.observe(box));

  // Copy a cell's code.
  const copied = async (text) => {
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    throw new Error("this page may not use the clipboard");
  };
  for (const pre of document.querySelectorAll(".cell_input pre, article > section div[class^='highlight-'] pre")) {
    if (pre.closest(".cell_output") || pre.parentElement.querySelector(".copy")) continue;
    const copy = document.createElement("button");
    copy.type = "button";
    copy.className = "copy";
    copy.textContent = "Copy";
    copy.setAttribute("aria-label", "Copy this code");
    copy.addEventListener("click", async () => {
      try {
        await copied(pre.textContent);
        copy.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(pre);
        copy.textContent = "Selected";
      }
      setTimeout(() => (copy.textContent = "Copy"), 2000);
    });
    pre.parentElement.append(copy);
  }
})();
