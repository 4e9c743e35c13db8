// What the clients put around requests: schemas made of zod, replies that they parse, their loops of tools, conversations that the
// server keeps.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { betaZodTool } from "@anthropic-ai/sdk/helpers/beta/zod";
import { zodOutputFormat } from "@anthropic-ai/sdk/helpers/zod";
import Anthropic from "@anthropic-ai/sdk";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, Output, streamObject, streamText } from "ai";
import OpenAI from "openai";
import { zodFunction, zodResponseFormat, zodResponsesFunction, zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";
import { all, call, failure, key, model, say, told, url } from "./setup.mjs";

const openai = new OpenAI({ apiKey: key, baseURL: `${url}/v1`, maxRetries: 0 });
const anthropic = new Anthropic({ apiKey: key, baseURL: url, maxRetries: 0 });
const scripted = createOpenAICompatible({ name: "glmc", baseURL: `${url}/v1`, apiKey: key, supportsStructuredOutputs: true })(model);

// A schema with what zod makes of its types.
const trip = z.object({
  city: z.string().min(1).max(40),
  days: z.number().int().min(1).max(30),
  kind: z.enum(["work", "fun"]),
  note: z.string().nullable(),
  stops: z.array(z.object({ name: z.string(), date: z.iso.date() })).max(3),
  by: z.union([z.literal("train"), z.literal("boat")]),
});
const planned = { city: "Oslo", days: 3, kind: "fun", note: null, stops: [{ name: "Opera", date: "2026-11-27" }], by: "boat" };
const asked = z.object({ city: z.string(), days: z.number().int().optional() });

describe("openai: helpers", { concurrency: true }, () => {
  it("parses what it streams", async () => {
    const stream = openai.chat.completions.stream({ model, messages: told(JSON.stringify(planned)), response_format: zodResponseFormat(trip, "trip") });
    const deltas = [];
    stream.on("content.delta", (d) => deltas.push(d.parsed));
    const final = await stream.finalChatCompletion();
    assert.deepEqual(final.choices[0].message.parsed, planned);
    assert.ok(deltas.length > 3, "it came in one piece");
  });

  it("parses arguments of tools", async () => {
    const tool = zodFunction({ name: "get_weather", parameters: z.object({ city: z.string(), days: z.number().int().nullable() }) });
    const r = await openai.chat.completions.parse({ model, messages: told(call("get_weather", { city: "Oslo", days: 2 })), tools: [tool] });
    assert.deepEqual(r.choices[0].message.tool_calls[0].function.parsed_arguments, { city: "Oslo", days: 2 });
  });

  it("runs tools until there is an answer in a form, in streams", async () => {
    const done = [];
    const runner = openai.chat.completions.runTools({
      model, stream: true, stream_options: { include_usage: true }, messages: told(call("get_weather", { city: "Oslo" })), response_format: zodResponseFormat(trip, "trip"),
      tools: [zodFunction({ name: "get_weather", parameters: z.object({ city: z.string() }), function: (args) => { done.push(args); return say(JSON.stringify(planned)); } })],
    });
    const final = await runner.finalChatCompletion();
    assert.deepEqual(done, [{ city: "Oslo" }]);
    assert.deepEqual(JSON.parse(final.choices[0].message.content), planned);
    assert.ok((await runner.totalUsage()).total_tokens > 0);
  });

  it("parses responses, and what it streams of them", async () => {
    const body = { model, input: say(JSON.stringify(planned)), text: { format: zodTextFormat(trip, "trip") } };
    assert.deepEqual((await openai.responses.parse(body)).output_parsed, planned);
    assert.deepEqual((await openai.responses.stream(body).finalResponse()).output_parsed, planned);
  });

  it("parses calls of responses", async () => {
    const tool = zodResponsesFunction({ name: "get_weather", parameters: z.object({ city: z.string() }) });
    const r = await openai.responses.parse({ model, input: say(call("get_weather", { city: "Oslo" })), tools: [tool] });
    assert.deepEqual(r.output.find((o) => o.type === "function_call").parsed_arguments, { city: "Oslo" });
  });

  it("follows responses that are kept, and shows and forgets them", async () => {
    const first = await openai.responses.create({ model, input: say("One.") });
    const second = await openai.responses.create({ model, previous_response_id: first.id, input: [{ role: "user", content: say("Two.") }] });
    assert.equal(second.output_text, "Two.");
    assert.equal((await openai.responses.retrieve(first.id)).output_text, "One.");
    const items = await all(openai.responses.inputItems.list(second.id));
    assert.deepEqual(items.map((i) => [i.type, i.role]), [["message", "user"], ["message", "assistant"], ["message", "user"]].reverse());
    await openai.responses.delete(first.id);
    assert.equal((await failure(openai.responses.retrieve(first.id))).status, 404);
  });

  it("counts what a response would read", async () => {
    const body = { model, instructions: "Be short.", input: say("Hello.") };
    const counted = await openai.responses.inputTokens.count(body);
    assert.equal(counted.object, "response.input_tokens");
    assert.equal(counted.input_tokens, (await openai.responses.create(body)).usage.input_tokens);
  });
});

describe("anthropic: helpers", { concurrency: true }, () => {
  it("parses what it answers, and what it streams", async () => {
    const body = { model, max_tokens: 500, messages: told(JSON.stringify(planned)), output_config: { format: zodOutputFormat(trip) } };
    assert.deepEqual((await anthropic.messages.parse(body)).parsed_output, planned);
    assert.deepEqual((await anthropic.messages.stream(body).finalMessage()).parsed_output, planned);
  });

  it("tells what it streams, event by event", async () => {
    const seen = { text: "", thinking: "", json: [], blocks: [] };
    const stream = anthropic.messages.stream({
      model, max_tokens: 2000, thinking: { type: "enabled", budget_tokens: 1024 }, messages: told(`<think>Hm.</think>\nLet me look.\n${call("get_weather", { city: "Oslo", days: 2 })}`),
      tools: [{ name: "get_weather", input_schema: z.toJSONSchema(asked) }],
    });
    stream.on("text", (d) => (seen.text += d)).on("thinking", (d) => (seen.thinking += d));
    stream.on("inputJson", (_, snapshot) => seen.json.push(snapshot)).on("contentBlock", (b) => seen.blocks.push(b.type));
    const final = await stream.finalMessage();
    assert.equal(seen.text.trim(), "Let me look.");
    assert.equal(seen.thinking, "Hm.");
    assert.deepEqual(seen.json.at(-1), { city: "Oslo", days: 2 });
    assert.deepEqual(seen.blocks, ["thinking", "text", "tool_use"]);
    assert.equal(final.stop_reason, "tool_use");
    assert.equal(await stream.finalText(), "Let me look.");
  });

  it("runs tools until there is an answer, in streams", async () => {
    const done = [];
    const runner = anthropic.beta.messages.toolRunner({
      model, max_tokens: 500, stream: true, messages: told(call("get_weather", { city: "Oslo" })),
      tools: [betaZodTool({ name: "get_weather", description: "The weather", inputSchema: asked, run: (input) => { done.push(input); return say("Rain."); } })],
    });
    const texts = [];
    for await (const stream of runner) texts.push((await stream.finalMessage()).content.at(-1));
    assert.deepEqual(done, [{ city: "Oslo" }]);
    assert.equal(texts.at(-1).text, "Rain.");
  });
});

describe("ai: outputs", { concurrency: true }, () => {
  it("gives an object as the output of text", async () => {
    const r = await generateText({ model: scripted, prompt: say(JSON.stringify(planned)), output: Output.object({ schema: trip }) });
    assert.deepEqual(r.output, planned);
  });

  it("streams parts of an object", async () => {
    const r = streamText({ model: scripted, prompt: say(JSON.stringify(planned)), output: Output.object({ schema: trip }) });
    const parts = await all(r.partialOutputStream);
    assert.deepEqual(parts.at(-1), planned);
    assert.ok(parts.length > 3);
  });

  it("streams elements of a list, and one of several words", async () => {
    const list = streamObject({ model: scripted, output: "array", schema: z.object({ n: z.number().int() }), prompt: say('{"elements": [{"n": 1}, {"n": 2}]}') });
    assert.deepEqual(await all(list.elementStream), [{ n: 1 }, { n: 2 }]);
    const word = await generateText({ model: scripted, prompt: say('{"result": "no"}'), output: Output.choice({ options: ["yes", "no"] }) });
    assert.equal(word.output, "no");
  });
});
