// What a reader may do to a widget, drawn from a seed: it runs in the widget's page, and returns what went wrong.
async ({ seed, events, texts, links }) => {
  let state = seed >>> 0;
  const draw = () => { // mulberry32
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const pick = (all) => all[Math.floor(draw() * all.length)];
  const wrong = [];
  const kinds = {};
  const KEYS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown", "Enter", " ",
    "Escape", "Tab", "Backspace", "Delete", "0", "5", "9", "a", "-", "+", "Unidentified"];
  const NUMBERS = ["", "0", "-1", "1e308", "-1e308", "1e-320", "1e999", "NaN", "Infinity", "0x10", "1,5", "−3", "12345678901234567890", ".", "1e"];
  const CONTROLS = "button, input, select, textarea, summary, a[href], [tabindex], [role='gridcell'], td, canvas, svg, svg *";
  let told = "";
  const heard = (event) => wrong.push(`${told}: ${event.message ?? event.reason} ${String(event.error?.stack ?? "").slice(0, 500)}`);
  addEventListener("error", heard);
  addEventListener("unhandledrejection", heard);
  const fire = (el, Kind, type, about = {}) => el.dispatchEvent(new Kind(type, { bubbles: true, cancelable: true, composed: true, ...about }));
  const at = (el) => {
    const box = el.getBoundingClientRect();
    const far = draw() < 0.15 ? 1000 : 0;
    return { clientX: box.x + (draw() * 1.2 - 0.1) * box.width + far, clientY: box.y + (draw() * 1.2 - 0.1) * box.height - far,
      pointerId: 1, isPrimary: true, button: 0, buttons: 1, pointerType: pick(["mouse", "touch", "pen"]) };
  };
  const acts = {
    click: (el) => el.click ? el.click() : fire(el, MouseEvent, "click", at(el)),
    key: (el) => {
      el.focus?.();
      const about = { key: pick(KEYS), shiftKey: draw() < 0.1, ctrlKey: draw() < 0.1 };
      fire(el, KeyboardEvent, "keydown", about);
      fire(el, KeyboardEvent, "keyup", about);
    },
    drag: (el) => {
      fire(el, PointerEvent, "pointerdown", at(el));
      for (let k = 0; k < 3; k++) fire(el, PointerEvent, "pointermove", at(el));
      fire(el, PointerEvent, pick(["pointerup", "pointerup", "pointercancel"]), { ...at(el), buttons: 0 });
    },
    hover: (el) => { fire(el, PointerEvent, "pointerenter", at(el)); fire(el, PointerEvent, "pointerleave", at(el)); },
    wheel: (el) => fire(el, WheelEvent, "wheel", { ...at(el), deltaY: pick([-1e9, -100, 100, 1e9, NaN]) || 0 }),
    type: (el) => {
      const one = el.matches("input, textarea, select") ? el : null;
      if (!one) return acts.click(el);
      if (one.matches("select")) one.selectedIndex = Math.floor(draw() * one.length);
      else if (one.matches("[type='range']")) one.value = String(Number(one.min) + draw() * (Number(one.max) - Number(one.min)));
      else if (one.matches("[type='checkbox'], [type='radio']")) return one.click();
      else one.value = draw() < 0.3 ? pick(NUMBERS) : pick(texts).slice(0, one.maxLength > 0 ? one.maxLength : undefined);
      fire(one, InputEvent, "input");
      fire(one, Event, "change");
      if (draw() < 0.5) fire(one, KeyboardEvent, "keydown", { key: "Enter" });
    },
    link: () => {
      let hash = pick(links.length ? links : ["#view=1.0.0.e30.0"]);
      const where = Math.floor(draw() * hash.length);
      const how = draw();
      if (how < 0.3) hash = hash.slice(0, where);
      else if (how < 0.7) hash = hash.slice(0, where) + pick(["A", "=", ".", "%00", "<img src=x onerror=hit()>", "-", "9"]) + hash.slice(where + 1);
      else if (how < 0.8) hash = `#${encodeURIComponent(pick(texts))}`;
      history.replaceState(history.state, "", hash);
      dispatchEvent(new HashChangeEvent("hashchange"));
    },
    resize: () => dispatchEvent(new Event("resize")),
    paper: () => dispatchEvent(new Event("beforeprint")),
  };
  const NAMES = ["click", "click", "key", "key", "key", "drag", "hover", "wheel", "type", "type", "type", "type", "paper", "resize"];
  // What is no number was there at the beginning where a text says so.
  const NONE = /(?<!not )(?<![\w<&/])(NaN|undefined|Infinity|\[object \w+\])(?![\w>])/;
  const place = document.querySelector(".unrolled-widget");
  const seen = () => [...place.querySelectorAll("input:not([type='range'])")].map((one) => one.value).concat(texts).join("\n");
  const first = place.textContent;
  for (let k = 0; k < events; k++) {
    const all = [...place.querySelectorAll(CONTROLS)].filter((one) => !one.closest(".unrolled-fallback") && one.checkVisibility() && !/^Save as|^Copy link/.test(one.getAttribute("aria-label") ?? one.textContent));
    const named = draw() < 0.03 ? "link" : pick(NAMES);
    const fields = named === "type" ? all.filter((one) => one.matches("input, textarea, select")) : all;
    const el = pick(fields.length ? fields : all) ?? place;
    told = `${named} ${k} on <${el.tagName.toLowerCase()} ${el.className?.baseVal ?? el.className ?? ""}> ${(el.getAttribute("aria-label") ?? "").slice(0, 30)}`;
    kinds[named] = (kinds[named] ?? 0) + 1;
    try {
      acts[named](el);
    } catch (error) {
      wrong.push(`${told}: thrown: ${error.message}`);
    }
    if (k % 10 === 9) await new Promise((go) => setTimeout(go));
    if (k % 5 === 4 || k === events - 1) {
      const live = place.querySelector(".unrolled-live");
      if (!live) wrong.push(`${told}: the widget is gone`);
      const text = [...place.querySelectorAll(".unrolled-live, .unrolled-row")].map((one) => one.textContent).join("\n")
        .replace(/“[^”]*”/g, "“”"); // what a reader typed is shown again
      const none = NONE.exec(text);
      if (none && !first.includes(none[0]) && !seen().includes(none[0])) wrong.push(`${told}: shows ${text.slice(Math.max(0, none.index - 40), none.index + 20)}`);
      if (place.querySelector("script:not([type='application/json']), img:not([src^='data:'],[src^='blob:']), iframe, object, embed, [onerror], [onload]")) wrong.push(`${told}: markup`);
      if (globalThis.hits) wrong.push(`${told}: a script ran`);
    }
    if (wrong.length > 5) break;
  }
  await new Promise((go) => setTimeout(go, 30));
  removeEventListener("error", heard);
  removeEventListener("unhandledrejection", heard);
  return { wrong: [...new Set(wrong)], kinds };
}
