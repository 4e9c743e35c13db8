// Vercel's ai, with its provider for interfaces like OpenAI's.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { APICallError, generateObject, generateText, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";
import { call, failure, key, model, say, url } from "./setup.mjs";

const provider = createOpenAICompatible({ name: "glmc", baseURL: `${url}/v1`, apiKey: key, supportsStructuredOutputs: true, includeUsage: true });
const scripted = provider(model);
const weather = (run) => tool({ description: "The weather of a city", inputSchema: z.object({ city: z.string(), days: z.number().optional() }), execute: run });

describe("ai", { concurrency: true }, () => {
  it("generates text with its reasoning", async () => {
    const r = await generateText({ model: scripted, prompt: say("<think>Hm.</think>\nHello.") });
    assert.equal(r.text, "Hello.");
    assert.equal(r.reasoningText, "Hm.");
    assert.equal(r.finishReason, "stop");
    assert.ok(r.usage.inputTokens > 0 && r.usage.outputTokens > 0);
  });

  it("streams text with its reasoning", async () => {
    const r = streamText({ model: scripted, prompt: say("<think>Hm.</think>\nHello, streamed.") });
    let text = "";
    for await (const part of r.textStream) text += part;
    assert.equal(text, "Hello, streamed.");
    assert.equal(await r.reasoningText, "Hm.");
    assert.ok((await r.usage).outputTokens > 0);
  });

  it("calls tools until there is an answer", async () => {
    const asked = [];
    const execute = async (input) => { asked.push(input); return say("Rain."); };
    const r = await generateText({ model: scripted, prompt: say(call("get_weather", { city: "Oslo", days: 2 })), tools: { get_weather: weather(execute) }, stopWhen: stepCountIs(3) });
    assert.deepEqual(asked, [{ city: "Oslo", days: 2 }]);
    assert.match(r.text, /^Rain\./);
  });

  it("streams calls of tools", async () => {
    const r = streamText({ model: scripted, prompt: say(call("get_weather", { city: "Oslo" })), tools: { get_weather: weather() } });
    await r.consumeStream();
    assert.deepEqual((await r.toolCalls).map((c) => [c.toolName, c.input]), [["get_weather", { city: "Oslo" }]]);
    assert.equal(await r.finishReason, "tool-calls");
  });

  it("generates objects", async () => {
    const r = await generateObject({ model: scripted, prompt: say('{"name": "Ada", "age": 36}'), schema: z.object({ name: z.string(), age: z.number().int() }) });
    assert.deepEqual(r.object, { name: "Ada", age: 36 });
  });

  it("tells errors", async () => {
    const e = await failure(generateText({ model: provider("gpt-99"), prompt: "x", maxRetries: 0 }));
    assert.ok(APICallError.isInstance(e), String(e));
    assert.equal(e.statusCode, 404);
  });
});
