import js from "@eslint/js";

export default [
  {
    // d3 and bertviz, as their authors wrote them, and mathematics in a font.
    ignores: ["**/d3-*.mjs", "**/bertviz-*-script.mjs"],
  },
  js.configs.recommended,
  {
    rules: {
      eqeqeq: "error",
      "no-var": "error",
      "prefer-const": ["error", { destructuring: "all" }],
      "no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      // TypeScript knows what a browser defines.
      "no-undef": "off",
    },
  },
];
