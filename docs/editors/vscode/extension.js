// The VS Code extension: it starts `glmc lsp` for .glm files and stops it at the end.
"use strict";

const vscode = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

function newClient() {
  const command = vscode.workspace.getConfiguration("glmc").get("path") || "glmc";
  return new LanguageClient(
    "glmc",
    "glmc",
    { command, args: ["lsp"] },
    { documentSelector: [{ language: "glm" }] },
  );
}

async function start() {
  client = newClient();
  try {
    await client.start();
  } catch (err) {
    vscode.window.showErrorMessage(
      `The language server of glmc did not start: ${err.message}. The setting glmc.path says where glmc is.`,
    );
  }
}

async function stop() {
  const running = client;
  client = undefined;
  if (running?.isRunning()) {
    await running.stop();
  }
}

exports.activate = async (context) => {
  const restart = async () => {
    await stop();
    await start();
  };
  context.subscriptions.push(vscode.commands.registerCommand("glmc.restart", restart));
  await start();
};

exports.deactivate = stop;
