// Tests of the grammar: what the tokeniser that VS Code uses makes of .glm files.
"use strict";

const assert = require("node:assert");
const fs = require("node:fs");
const path = require("node:path");
const test = require("node:test");
const oniguruma = require("vscode-oniguruma");
const textmate = require("vscode-textmate");

const root = path.resolve(__dirname, "../../../..");
const grammarFile = path.resolve(__dirname, "../syntaxes/glm.tmLanguage.json");

let loading;

function grammar() {
  loading ??= (async () => {
    const wasm = fs.readFileSync(require.resolve("vscode-oniguruma/release/onig.wasm"));
    await oniguruma.loadWASM(wasm);
    const registry = new textmate.Registry({
      onigLib: Promise.resolve({
        createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
        createOnigString: (s) => new oniguruma.OnigString(s),
      }),
      loadGrammar: async () => textmate.parseRawGrammar(fs.readFileSync(grammarFile, "utf8"), grammarFile),
    });
    return registry.loadGrammar("source.glm");
  })();
  return loading;
}

// tokenise returns the tokens of a text: { text, scopes, line } for each.
async function tokenise(text) {
  const g = await grammar();
  const tokens = [];
  let state = textmate.INITIAL;
  text.split("\n").forEach((line, i) => {
    const result = g.tokenizeLine(line, state);
    state = result.ruleStack;
    for (const t of result.tokens) {
      tokens.push({ text: line.slice(t.startIndex, t.endIndex), scopes: t.scopes, line: i + 1 });
    }
  });
  assert.strictEqual(state.depth, 1, `the text ends inside of ${state.depth - 1} rules`);
  return tokens;
}

// expectations are [text, scope] in the order of the text: the next token with that text has that innermost scope,
// or none where the scope is "".
async function expect(text, expectations) {
  const tokens = await tokenise(text);
  let at = 0;
  for (const [word, scope] of expectations) {
    const found = tokens.findIndex((t, i) => i >= at && t.text.trim() === word);
    assert.notStrictEqual(found, -1, `no token ${word} behind token ${at} in ${JSON.stringify(tokens.map((t) => t.text))}`);
    const innermost = tokens[found].scopes.at(-1);
    assert.strictEqual(innermost, scope === "" ? "source.glm" : `${scope}.glm`, `the scope of ${word} in line ${tokens[found].line}`);
    at = found + 1;
  }
}

test("declarations", () =>
  expect(
    `import swiglu, attention as gqa from "../lib/blocks.glm"
model m for "A" or "B" {
  config {
    model     int    = 3 optional from "a.b" or "c" // of all
    hidden    ints
  }
  let half = int(hidden / 2)
  assert half > 1, "too small"
  block norm[n](x: [T, n], width: int) -> f32[T, n] {
  }
  entry forward(tokens: i32[T]) when half == 3 {
  }
}`,
    [
      ["import", "keyword.other.import"],
      ["swiglu", "entity.name.type"],
      ["as", "keyword.other.clause"],
      ["from", "keyword.other.clause"],
      ["model", "storage.type.model"],
      ["m", "entity.name.type.model"],
      ["for", "keyword.control"],
      ["or", "keyword.operator.word"],
      ["config", "storage.type.section"],
      ["model", "variable.other.property"],
      ["int", "storage.type.primitive"],
      ["3", "constant.numeric.integer"],
      ["optional", "keyword.other.clause"],
      ["from", "keyword.other.clause"],
      ["// of all", "comment.line.double-slash"],
      ["hidden", "variable.other.property"],
      ["ints", "storage.type.primitive"],
      ["let", "storage.type.let"],
      ["half", "variable.other.constant"],
      ["int", "support.function.builtin"],
      ["assert", "keyword.other.rule"],
      ["block", "storage.type.block"],
      ["norm", "entity.name.function.block"],
      ["x", "variable.parameter"],
      ["T", "constant.language.dimension"],
      ["width", "variable.parameter"],
      ["int", "storage.type.primitive"],
      ["->", "keyword.operator.arrow"],
      ["f32", "storage.type.dtype"],
      ["entry", "storage.type.entry"],
      ["forward", "entity.name.function.entry"],
      ["i32", "storage.type.dtype"],
      ["when", "keyword.other.clause"],
      ["==", "keyword.operator.comparison"],
    ],
  ));

test("expressions", () =>
  expect(
    `block b(x: [T, 8]) -> [T, 8] {
  a, w = top_k(scores, gate.bias, k = 8)
  x = mine(linear(x, model.norm, 1e-5,
    bias = true)) at "experts.{e}.{rest...}\\n" as [T, 2]
  if not a in [1, 0.5] and x then y else z
  for i in 0 .. n { return int(x) ^ -1 }
  /* two
     lines */ f32(model.layers.0.in)
}`,
    [
      ["=", "keyword.operator.assignment"],
      ["top_k", "support.function.builtin"],
      ["gate.bias", "variable.other.weight"],
      ["k", "variable.parameter"],
      ["mine", "entity.name.function.call"],
      ["linear", "support.function.builtin"],
      ["model.norm", "variable.other.weight"],
      ["1e-5", "constant.numeric.float"],
      ["bias", "variable.parameter"],
      ["true", "constant.language.boolean"],
      ["at", "keyword.operator.word"],
      ["experts.", "meta.path.weight"],
      ["{e}", "constant.other.placeholder.hole"],
      ["{rest...}", "constant.other.placeholder.hole"],
      ["\\n", "constant.character.escape"],
      ["as", "keyword.operator.word"],
      ["2", "constant.numeric.integer"],
      ["if", "keyword.control"],
      ["not", "keyword.operator.word"],
      ["in", "keyword.control"],
      ["0.5", "constant.numeric.float"],
      ["and", "keyword.operator.word"],
      ["then", "keyword.control"],
      ["else", "keyword.control"],
      ["for", "keyword.control"],
      ["0", "constant.numeric.integer"],
      ["..", "keyword.operator.range"],
      ["return", "keyword.control"],
      ["int", "support.function.builtin"],
      ["^", "keyword.operator.arithmetic"],
      ["two", "comment.block"],
      ["lines", "comment.block"],
      ["f32", "support.function.builtin"],
      ["model.layers.0.in", "variable.other.weight"],
    ],
  ));

test("rules and pipelines", () =>
  expect(
    `model m { checkpoint {
  alias "a.{n}" = "b.{n}"[n, 0 .. w] when tied
  ignore "c" because "never"
} }
pipeline h200 for m {
  target  h200 { tensor_parallel = 8 }
  require one, two // both
  draft   suffix { skip = ["{layer...}.gate"], tree }
}
model n {}`,
    [
      ["checkpoint", "storage.type.section"],
      ["alias", "keyword.other.rule"],
      ["{n}", "constant.other.placeholder.hole"],
      ["when", "keyword.other.clause"],
      ["ignore", "keyword.other.rule"],
      ["because", "keyword.other.clause"],
      ["pipeline", "storage.type.pipeline"],
      ["h200", "entity.name.type.pipeline"],
      ["for", "keyword.control"],
      ["m", "entity.name.type.model"],
      ["target", "keyword.other.setting"],
      ["h200", "constant.other.setting-value"],
      ["tensor_parallel", "variable.parameter.option"],
      ["8", "constant.numeric.integer"],
      ["require", "keyword.other.setting"],
      ["two", "constant.other.setting-value"],
      ["// both", "comment.line.double-slash"],
      ["draft", "keyword.other.setting"],
      ["{layer...}", "constant.other.placeholder.hole"],
      ["model", "storage.type.model"],
    ],
  ));

// Every model of the repository: comments, strings and their holes are recognised as such, whole; no rule is still
// open at the end; and every reserved word is a keyword unless it is a part of a path.
const files = fs
  .readdirSync(path.join(root, "models"))
  .map((name) => path.join(root, "models", name, "model.glm"))
  .filter((file) => fs.existsSync(file));
assert.ok(files.length > 0, "there are no models");

for (const file of files) {
  test(path.relative(root, file), async () => {
    const text = fs.readFileSync(file, "utf8");
    const tokens = await tokenise(text);
    const has = (t, prefix) => t.scopes.some((s) => s.startsWith(prefix));
    const joined = (prefix) => tokens.filter((t) => has(t, prefix)).map((t) => t.text).join("");
    const plain = text.replace(/\/\/.*|"(?:\\.|[^"\\])*"/g, (s) => (s[0] === "/" ? s : ""));
    assert.strictEqual(joined("comment."), (plain.match(/\/\/.*/g) ?? []).join(""));
    const strings = text.replace(/\/\/.*|("(?:\\.|[^"\\])*")/g, (s, quoted) => (quoted ? s : "")).match(/"(?:\\.|[^"\\])*"/g) ?? [];
    assert.strictEqual(joined("string."), strings.join(""));
    assert.strictEqual(joined("constant.other.placeholder."), strings.flatMap((s) => s.match(/\{\w+(\.\.\.)?\}/g) ?? []).join(""));
    assert.ok(!tokens.some((t) => has(t, "invalid.")), "something is marked as invalid");
    for (const t of tokens) {
      if (/^(if|then|else|for|in|return|as|at|and|or|not|true|false)$/.test(t.text.trim()) && !has(t, "string.") && !has(t, "comment.")) {
        assert.ok(has(t, "keyword.") || has(t, "constant.language."), `${t.text} in line ${t.line} is ${t.scopes}`);
      }
    }
    for (const word of ["storage.type.model", "storage.type.entry", "support.function.builtin", "variable.other.weight"]) {
      assert.ok(tokens.some((t) => has(t, word)), `no ${word} in the file`);
    }
  });
}
