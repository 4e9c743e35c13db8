// A session of an editor with `glmc lsp`, through the client library that editors are built with. Usage:
//
//	node suite.mjs GLMC
//
// It prints a line for every check that holds, and ends with status 1 at the first that does not.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import * as lsp from "vscode-languageserver-protocol/node";

const patience = 30_000; // ms

const lib = `// A gate.
block gate[n](x: [T, n], width: int) -> [T, n] {
  return linear(x, up, n)
}
`;

const main = `import gate from "lib.glm"
model m {
  config {
    hidden_size int = 8
  }
  let half = hidden_size / 2
  entry forward(tokens: i32[T]) -> [T, hidden_size] {
    h = embed(tokens, w, 8, hidden_size) // 😀
    return /* 😀 */ gate(h, width = half)
  }
}
pipeline p for m { target cpu }
`;

const dir = mkdtempSync(join(tmpdir(), "glmc-lsp-"));
process.on("exit", () => rmSync(dir, { recursive: true, force: true }));
const uri = (name) => pathToFileURL(join(dir, name)).href;
writeFileSync(join(dir, "lib.glm"), lib);
writeFileSync(join(dir, "main.glm"), main);

const server = spawn(process.argv[2], ["lsp"], { stdio: ["pipe", "pipe", "inherit"] });
const ended = new Promise((resolve) => server.on("exit", (code, signal) => resolve(signal ?? code)));
const connection = lsp.createProtocolConnection(
  new lsp.StreamMessageReader(server.stdout),
  new lsp.StreamMessageWriter(server.stdin),
);
const watchdog = setTimeout(() => fail(new Error("it takes too long")), 4 * patience);

function fail(error) {
  console.error(error);
  server.kill();
  process.exit(1);
}
process.on("unhandledRejection", fail);

// The last diagnostics of each document, and who waits for others.
const published = new Map();
let waiting = () => {};
connection.onNotification(lsp.PublishDiagnosticsNotification.type, (p) => {
  published.set(p.uri, p);
  waiting();
});
const registered = new Promise((resolve) => connection.onRequest(lsp.RegistrationRequest.type, (p) => resolve(p)));
connection.listen();

// diagnostics waits for those of a version of a document.
async function diagnostics(uri, version) {
  const limit = Date.now() + patience;
  while (published.get(uri)?.version !== version) {
    assert.ok(Date.now() < limit, `no diagnostics of version ${version} of ${uri}`);
    await new Promise((resolve) => {
      waiting = resolve;
      setTimeout(resolve, 100);
    });
  }
  return published.get(uri).diagnostics;
}

async function check(name, run) {
  await run();
  console.log(`ok: ${name}`);
}

// place is the position behind a text in another, in UTF-16 units as strings of this language have them.
function place(text, behind) {
  const at = text.indexOf(behind);
  assert.ok(at >= 0, behind);
  const lines = text.slice(0, at + behind.length).split("\n");
  return { line: lines.length - 1, character: lines.at(-1).length };
}
// rangeOf is the range of a part of a text, where it stands behind a prefix.
const rangeOf = (text, part, prefix) => {
  const end = place(text, prefix + part);
  return { start: { line: end.line, character: end.character - part.length }, end };
};
const at = (text, behind) => ({ textDocument: { uri: uri("main.glm") }, position: place(text, behind) });

let capabilities;
await check("initialize", async () => {
  const result = await connection.sendRequest(lsp.InitializeRequest.type, {
    processId: process.pid,
    rootUri: pathToFileURL(dir).href,
    capabilities: {
      general: { positionEncodings: ["utf-16"] },
      workspace: { didChangeWatchedFiles: { dynamicRegistration: true } },
      textDocument: {
        documentSymbol: { hierarchicalDocumentSymbolSupport: true },
        completion: { completionItem: { snippetSupport: true } },
        publishDiagnostics: { relatedInformation: true, versionSupport: true },
      },
    },
  });
  capabilities = result.capabilities;
  assert.equal(result.serverInfo.name, "glmc");
  assert.equal(capabilities.positionEncoding, "utf-16");
  await connection.sendNotification(lsp.InitializedNotification.type, {});
  assert.equal((await registered).registrations[0].method, "workspace/didChangeWatchedFiles");
});

const broken = main.replace("width = half", "width = haf");
await check("diagnostics of a wrong file", async () => {
  await connection.sendNotification(lsp.DidOpenTextDocumentNotification.type, {
    textDocument: { uri: uri("main.glm"), languageId: "glm", version: 1, text: broken },
  });
  const list = await diagnostics(uri("main.glm"), 1);
  const error = list.find((d) => d.severity === lsp.DiagnosticSeverity.Error);
  assert.equal(error.code, "unknown-name");
  assert.equal(error.source, "glmc");
  assert.deepEqual(error.range, rangeOf(broken, "haf", "width = "));
  assert.match(error.message, /unknown name "haf"/);
});

await check("a quick fix", async () => {
  const actions = await connection.sendRequest(lsp.CodeActionRequest.type, {
    textDocument: { uri: uri("main.glm") },
    range: rangeOf(broken, "haf", "width = "),
    context: { diagnostics: published.get(uri("main.glm")).diagnostics },
  });
  const fix = actions.find((a) => a.kind === lsp.CodeActionKind.QuickFix);
  assert.equal(fix.edit.changes[uri("main.glm")][0].newText, "half");
});

await check("no diagnostics once it is mended by an incremental change", async () => {
  const where = place(broken, "width = ha");
  await connection.sendNotification(lsp.DidChangeTextDocumentNotification.type, {
    textDocument: { uri: uri("main.glm"), version: 2 },
    contentChanges: [{ range: { start: where, end: where }, text: "l" }],
  });
  assert.deepEqual(await diagnostics(uri("main.glm"), 2), []);
});

await check("hover", async () => {
  const hover = await connection.sendRequest(lsp.HoverRequest.type, at(main, "gate(h"));
  assert.match(hover.contents.value, /variable of type `\[T, hidden_size\]`/);
  const key = await connection.sendRequest(lsp.HoverRequest.type, at(main, "let half = hidden_s"));
  assert.match(key.contents.value, /hidden_size int = 8/);
  assert.equal(await connection.sendRequest(lsp.HoverRequest.type, at(main, "retur")), null);
});

await check("definition across files", async () => {
  const found = await connection.sendRequest(lsp.DefinitionRequest.type, at(main, "/* 😀 */ ga"));
  assert.deepEqual(found, [{ uri: uri("lib.glm"), range: rangeOf(lib, "gate", "block ") }]);
  const path = await connection.sendRequest(lsp.DefinitionRequest.type, at(main, '"lib'));
  assert.equal(path[0].uri, uri("lib.glm"));
});

await check("references and rename", async () => {
  const uses = await connection.sendRequest(lsp.ReferencesRequest.type, {
    ...at(main, "let ha"),
    context: { includeDeclaration: true },
  });
  assert.equal(uses.length, 2);
  const edit = await connection.sendRequest(lsp.RenameRequest.type, { ...at(main, "let ha"), newName: "part" });
  assert.equal(edit.changes[uri("main.glm")].length, 2);
  await assert.rejects(
    connection.sendRequest(lsp.RenameRequest.type, { ...at(main, "= hidden"), newName: "size" }),
    /config\.json/,
  );
});

await check("completion and signature help in a text that does not parse", async () => {
  const text = main.replace("return /*", "x = rms_norm(h, \n    return /*");
  await connection.sendNotification(lsp.DidChangeTextDocumentNotification.type, {
    textDocument: { uri: uri("main.glm"), version: 3 },
    contentChanges: [{ text }],
  });
  const names = await connection.sendRequest(lsp.CompletionRequest.type, at(text, "rms_norm(h, "));
  assert.ok(names.items.some((i) => i.label === "eps ="));
  const help = await connection.sendRequest(lsp.SignatureHelpRequest.type, at(text, "rms_norm(h, "));
  assert.equal(help.activeParameter, 1);
  const file = await connection.sendRequest(lsp.CompletionRequest.type, at(text, "let half = hid"));
  const key = file.items.find((i) => i.label === "hidden_size");
  assert.equal(key.kind, lsp.CompletionItemKind.Constant);
  await connection.sendNotification(lsp.DidChangeTextDocumentNotification.type, {
    textDocument: { uri: uri("main.glm"), version: 4 },
    contentChanges: [{ text: main }],
  });
});

await check("symbols", async () => {
  const symbols = await connection.sendRequest(lsp.DocumentSymbolRequest.type, {
    textDocument: { uri: uri("main.glm") },
  });
  assert.deepEqual(symbols.map((s) => s.name), ["lib.glm", "m", "p"]);
  assert.deepEqual(symbols[1].children.map((s) => s.name), ["config", "half", "forward"]);
});

await check("formatting", async () => {
  const edits = await connection.sendRequest(lsp.DocumentFormattingRequest.type, {
    textDocument: { uri: uri("main.glm") },
    options: { tabSize: 2, insertSpaces: true },
  });
  assert.ok(edits.length > 0);
  assert.ok(edits.every((e) => e.newText.startsWith("  ") || e.newText.startsWith("pipeline")), JSON.stringify(edits));
});

await check("requests that are wrong are refused", async () => {
  await assert.rejects(connection.sendRequest("textDocument/nonsense", {}), { code: lsp.ErrorCodes.MethodNotFound });
  await assert.rejects(connection.sendRequest("textDocument/hover", [1]), { code: lsp.ErrorCodes.InvalidParams });
});

await check("diagnostics go when the document is closed", async () => {
  await connection.sendNotification(lsp.DidChangeTextDocumentNotification.type, {
    textDocument: { uri: uri("main.glm"), version: 5 },
    contentChanges: [{ text: "model {" }],
  });
  assert.ok((await diagnostics(uri("main.glm"), 5)).length > 0);
  await connection.sendNotification(lsp.DidCloseTextDocumentNotification.type, {
    textDocument: { uri: uri("main.glm") },
  });
  assert.deepEqual(await diagnostics(uri("main.glm"), undefined), []);
});

await check("shutdown and exit", async () => {
  await connection.sendRequest(lsp.ShutdownRequest.type);
  await connection.sendNotification(lsp.ExitNotification.type);
  assert.equal(await ended, 0);
});
clearTimeout(watchdog);
connection.dispose();
