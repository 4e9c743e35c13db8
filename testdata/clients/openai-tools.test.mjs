// Tools and forms of replies, with npm's openai.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import OpenAI from "openai";
import { zodResponseFormat } from "openai/helpers/zod";
import { z } from "zod";
import { all, call, key, model, parameters, say, told, url } from "./setup.mjs";

const client = new OpenAI({ apiKey: key, baseURL: `${url}/v1`, maxRetries: 0 });
const tools = [
  { type: "function", function: { name: "get_weather", description: "The weather of a city", parameters } },
  { type: "function", function: { name: "now", description: "The time", parameters: { type: "object", properties: {} } } },
];
const ask = (say, more = {}) => client.chat.completions.create({ model, messages: told(say), tools, ...more });

/** The calls of a stream, put together as clients do it. */
function assemble(chunks) {
  const calls = [];
  for (const c of chunks) {
    for (const d of c.choices[0]?.delta.tool_calls ?? []) {
      const at = (calls[d.index] ??= { id: "", name: "", args: "", parts: 0 });
      at.id += d.id ?? "";
      at.name += d.function?.name ?? "";
      at.args += d.function?.arguments ?? "";
      at.parts++;
    }
  }
  return calls;
}

describe("openai: tools", { concurrency: true }, () => {
  it("calls a tool", async () => {
    const r = await ask(call("get_weather", { city: "Oslo", days: 3 }));
    const [choice] = r.choices;
    assert.equal(choice.finish_reason, "tool_calls");
    assert.equal(choice.message.tool_calls.length, 1);
    const [c] = choice.message.tool_calls;
    assert.match(c.id, /^call_[0-9a-f]{24}$/);
    assert.equal(c.type, "function");
    assert.equal(c.function.name, "get_weather");
    assert.deepEqual(JSON.parse(c.function.arguments), { city: "Oslo", days: 3 });
    assert.ok(!choice.message.content);
  });

  it("types arguments by the schema", async () => {
    const r = await ask(call("get_weather", { city: "123", days: 3, details: { wind: true } }));
    assert.deepEqual(JSON.parse(r.choices[0].message.tool_calls[0].function.arguments), { city: "123", days: 3, details: { wind: true } });
  });

  it("calls a tool without arguments", async () => {
    const r = await ask(call("now", {}));
    assert.deepEqual(JSON.parse(r.choices[0].message.tool_calls[0].function.arguments), {});
  });

  it("thinks, speaks and calls", async () => {
    const r = await ask(`<think>I need the weather.</think>\nLet me look.\n${call("get_weather", { city: "Oslo" })}`);
    const { message } = r.choices[0];
    assert.equal(message.reasoning_content, "I need the weather.");
    assert.equal(message.content.trim(), "Let me look.");
    assert.equal(message.tool_calls[0].function.name, "get_weather");
  });

  it("calls several tools", async () => {
    const r = await ask(`${call("get_weather", { city: "Oslo" })}\n${call("get_weather", { city: "Rome" })}\n${call("now", {})}`);
    const calls = r.choices[0].message.tool_calls;
    assert.deepEqual(calls.map((c) => c.function.name), ["get_weather", "get_weather", "now"]);
    assert.deepEqual(calls.slice(0, 2).map((c) => JSON.parse(c.function.arguments).city), ["Oslo", "Rome"]);
    assert.equal(new Set(calls.map((c) => c.id)).size, 3);
  });

  it("streams a call", async () => {
    const chunks = await all(await ask(call("get_weather", { city: "Oslo by the long fjord with the opera house", days: 3 }), { stream: true }));
    const calls = assemble(chunks);
    assert.equal(calls.length, 1);
    assert.match(calls[0].id, /^call_[0-9a-f]{24}$/);
    assert.equal(calls[0].name, "get_weather");
    assert.deepEqual(JSON.parse(calls[0].args), { city: "Oslo by the long fjord with the opera house", days: 3 });
    assert.ok(calls[0].parts > 3, "the arguments came in one piece");
    assert.equal(chunks.findLast((c) => c.choices[0]?.finish_reason).choices[0].finish_reason, "tool_calls");
  });

  it("streams several calls", async () => {
    const chunks = await all(await ask(`Both:\n${call("get_weather", { city: "Oslo" })}${call("get_weather", { city: "Rome" })}`, { stream: true }));
    const calls = assemble(chunks);
    assert.deepEqual(calls.map((c) => JSON.parse(c.args).city), ["Oslo", "Rome"]);
    assert.equal(new Set(calls.map((c) => c.id)).size, 2);
  });

  it("streams calls through the client's helper", async () => {
    const stream = client.chat.completions.stream({ model, messages: told(call("get_weather", { city: "Oslo" })), tools });
    const final = await stream.finalChatCompletion();
    assert.deepEqual(JSON.parse(final.choices[0].message.tool_calls[0].function.arguments), { city: "Oslo" });
  });

  it("takes results of tools", async () => {
    const first = await ask(call("get_weather", { city: "Oslo" }));
    const { message } = first.choices[0];
    const r = await client.chat.completions.create({
      model, tools,
      messages: [...told(call("get_weather", { city: "Oslo" })), message, { role: "tool", tool_call_id: message.tool_calls[0].id, content: say("It rains in Oslo.") }],
    });
    assert.equal(r.choices[0].message.content, "It rains in Oslo.");
    assert.equal(r.choices[0].finish_reason, "stop");
  });

  it("takes part in the client's loop of tools", async () => {
    const asked = [];
    const runner = client.chat.completions.runTools({
      model, messages: told(call("get_weather", { city: "Oslo" })),
      tools: [{
        type: "function",
        function: { name: "get_weather", parameters, parse: JSON.parse, function: (args) => { asked.push(args); return say("Rain."); } },
      }],
    });
    assert.equal(await runner.finalContent(), "Rain.");
    assert.deepEqual(asked, [{ city: "Oslo" }]);
  });

  it("calls nothing where tool_choice is none", async () => {
    const r = await ask("I could call.", { tool_choice: "none" });
    assert.equal(r.choices[0].message.content, "I could call.");
    assert.ok(!r.choices[0].message.tool_calls?.length);
  });

  it("has to call where tool_choice is required", async () => {
    const r = await ask("I would rather talk.", { tool_choice: "required", temperature: 0, max_tokens: 300, tools: [tools[1]], parallel_tool_calls: false, thinking: { type: "disabled" } });
    assert.equal(r.choices[0].message.tool_calls[0].function.name, "now");
    assert.equal(r.choices[0].finish_reason, "tool_calls");
  });

  it("calls the tool that is named", async () => {
    const r = await ask(call("now", {}), { tool_choice: { type: "function", function: { name: "now" } } });
    assert.equal(r.choices[0].message.tool_calls[0].function.name, "now");
  });

  it("calls one tool at a time where several are not wanted", async () => {
    const r = await ask(`${call("get_weather", { city: "Oslo" })}${call("now", {})}`, { parallel_tool_calls: false });
    assert.equal(r.choices[0].message.tool_calls.length, 1);
  });
});

describe("openai: forms of replies", { concurrency: true }, () => {
  const person = { type: "object", properties: { name: { type: "string" }, age: { type: "integer" } }, required: ["name", "age"], additionalProperties: false };

  it("gives a JSON object", async () => {
    const r = await client.chat.completions.create({ model, messages: told('{"a": [1, 2, {"b": null}]}'), response_format: { type: "json_object" } });
    assert.deepEqual(JSON.parse(r.choices[0].message.content), { a: [1, 2, { b: null }] });
  });

  it("gives JSON by a schema", async () => {
    const r = await client.chat.completions.create({
      model, messages: told('{"name": "Ada", "age": 36}'),
      response_format: { type: "json_schema", json_schema: { name: "person", schema: person, strict: true } },
    });
    assert.deepEqual(JSON.parse(r.choices[0].message.content), { name: "Ada", age: 36 });
  });

  it("gives JSON by a schema although the model would say something else", async () => {
    const schema = { type: "object", properties: { colour: { enum: ["red", "green"] } }, required: ["colour"], additionalProperties: false };
    for (const stream of [false, true]) {
      const r = await client.chat.completions.create({
        model, messages: told("I prefer prose."), temperature: 0, max_tokens: 200, stream, chat_template_kwargs: { enable_thinking: false },
        response_format: { type: "json_schema", json_schema: { name: "choice", schema, strict: true } },
      });
      const content = stream ? (await all(r)).map((c) => c.choices[0]?.delta.content ?? "").join("") : r.choices[0].message.content;
      assert.match(JSON.parse(content).colour, /^(red|green)$/);
    }
  });

  it("thinks before it gives JSON by a schema", async () => {
    const r = await client.chat.completions.create({
      model, messages: told('<think>A person.</think>\n{"name": "Ada", "age": 36}'),
      response_format: { type: "json_schema", json_schema: { name: "person", schema: person } },
    });
    assert.equal(r.choices[0].message.reasoning_content, "A person.");
    assert.deepEqual(JSON.parse(r.choices[0].message.content), { name: "Ada", age: 36 });
  });

  it("calls a tool or gives JSON, where there are tools and a form", async () => {
    const response_format = { type: "json_schema", json_schema: { name: "trip", strict: true,
      schema: { type: "object", properties: { city: { type: "string" } }, required: ["city"], additionalProperties: false } } };
    for (const stream of [false, true]) {
      const read = async (said) => {
        const r = await ask(said, { response_format, stream });
        if (!stream) return [r.choices[0].message.content, r.choices[0].message.tool_calls?.map((c) => [c.function.name, c.function.arguments]) ?? [], r.choices[0].finish_reason];
        const chunks = await all(r);
        const text = chunks.map((c) => c.choices[0]?.delta.content ?? "").join("");
        return [text === "" ? null : text, assemble(chunks).map((c) => [c.name, c.args]), chunks.at(-1).choices[0].finish_reason];
      };
      assert.deepEqual(await read(call("get_weather", { city: "Oslo", days: 3 })), [null, [["get_weather", '{"city": "Oslo", "days": 3}']], "tool_calls"]);
      assert.deepEqual(await read('{"city": "Oslo"}'), ['{"city": "Oslo"}', [], "stop"]);
    }
  });

  it("is parsed by the client", async () => {
    const schema = z.object({ name: z.string(), tags: z.array(z.enum(["x", "y"])) });
    const r = await client.chat.completions.parse({
      model, messages: told('{"name": "Ada", "tags": ["x", "y"]}'), response_format: zodResponseFormat(schema, "tagged"),
    });
    assert.deepEqual(r.choices[0].message.parsed, { name: "Ada", tags: ["x", "y"] });
  });

  it("refuses a schema that it cannot enforce", async () => {
    const error = await client.chat.completions
      .create({ model, messages: told("x"), response_format: { type: "json_schema", json_schema: { name: "s", schema: { type: "nonsense" } } } })
      .then(() => null, (e) => e);
    assert.ok(error instanceof OpenAI.BadRequestError, String(error));
  });
});
