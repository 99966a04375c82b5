"""A notebook's side of a widget, without a notebook."""

__all__ = ["NOTEBOOK"]

# What anywidget gives a script in a notebook: a model that tells listeners, and sends what is saved.
NOTEBOOK = """async ({ esm, state, kept }) => {
  const heard = new Map();
  globalThis.saved = [];
  globalThis.model = {
    get: (name) => state[name],
    set(name, value) { state[name] = value; (heard.get(`change:${name}`) ?? []).forEach((tell) => tell()); },
    on: (event, tell) => heard.set(event, [...(heard.get(event) ?? []), tell]),
    off: (event, tell) => heard.set(event, (heard.get(event) ?? []).filter((other) => other !== tell)),
    save_changes: () => saved.push(Object.fromEntries(kept.map((name) => [name, state[name]]))),
  };
  const url = URL.createObjectURL(new Blob([esm], { type: "text/javascript" }));
  const el = document.body.appendChild(document.createElement("main"));
  globalThis.stop = (await import(url)).default.render({ model, el });
}"""
