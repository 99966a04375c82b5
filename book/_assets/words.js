// What the other scripts of a page say, in the language of the book. The build gives a page the words of book/_words.yml
// that its scripts ask for.
globalThis.say = (() => {
  "use strict";
  /** @type {Record<string, string | Record<string, string>>} */
  const words = JSON.parse(document.querySelector("script[data-words]").textContent);
  const forms = new Intl.PluralRules(document.documentElement.lang);
  return (key, values = {}) => {
    const found = words[key];
    const text = typeof found === "string" ? found : found[forms.select(Number(values.count))] ?? found.other;
    return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
  };
})();
