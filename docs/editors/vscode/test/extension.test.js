// The extension loads, and starts and stops the language server that its setting names. The editor's own module is
// a stand-in here; the client library is the real one but for the class that starts a process.
"use strict";

const assert = require("node:assert");
const Module = require("node:module");
const test = require("node:test");

const manifest = require("../package.json");

// standIn is an object in which everything exists: classes, functions, namespaces.
function standIn() {
  const members = new Map();
  return new Proxy(class {}, {
    get(target, name) {
      if (name === "prototype" || typeof name === "symbol") return target[name];
      if (!members.has(name)) members.set(name, standIn());
      return members.get(name);
    },
    apply: () => undefined,
  });
}

test("the extension starts and stops the server", async () => {
  const calls = [];
  const commands = {};
  const vscode = new Proxy(
    {
      workspace: { getConfiguration: (section) => ({ get: (key) => (section === "glmc" && key === "path" ? "/opt/glmc" : undefined) }) },
      commands: { registerCommand: (name, run) => ((commands[name] = run), { dispose() {} }) },
      window: { showErrorMessage: (text) => calls.push(["error", text]) },
    },
    { get: (target, name) => target[name] ?? (target[name] = standIn()) },
  );
  let failure;
  class LanguageClient {
    constructor(id, name, server, client) {
      calls.push(["new", server, client]);
    }
    async start() {
      if (failure) throw failure;
      this.running = true;
      calls.push(["start"]);
    }
    isRunning() {
      return this.running === true;
    }
    async stop() {
      this.running = false;
      calls.push(["stop"]);
    }
  }
  const load = Module._load;
  Module._load = (name, ...rest) => {
    if (name === "vscode") return vscode;
    if (name === "vscode-languageclient/node") {
      assert.strictEqual(typeof load(name, ...rest).LanguageClient, "function");
      return { LanguageClient };
    }
    return load(name, ...rest);
  };
  try {
    const extension = require("../extension.js");
    const context = { subscriptions: [] };
    await extension.activate(context);
    assert.strictEqual(context.subscriptions.length, 1);
    assert.deepStrictEqual(Object.keys(commands), manifest.contributes.commands.map((c) => c.command));
    const started = ["new", { command: "/opt/glmc", args: ["lsp"] }, { documentSelector: [{ language: manifest.contributes.languages[0].id }] }];
    assert.deepStrictEqual(calls, [started, ["start"]]);

    await commands["glmc.restart"]();
    await extension.deactivate();
    await extension.deactivate(); // there is nothing left to stop
    assert.deepStrictEqual(calls.slice(2), [["stop"], started, ["start"], ["stop"]]);

    failure = new Error("spawn /opt/glmc ENOENT");
    await extension.activate(context);
    assert.match(calls.at(-1)[1], /ENOENT.*glmc\.path/);
  } finally {
    Module._load = load;
  }
});
