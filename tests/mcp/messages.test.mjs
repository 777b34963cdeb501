// The check of messages by the specification's schemas refuses what these do not allow.
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkMessage, LEGACY, MODERN } from "./messages.mjs";

const content = [{ type: "text", text: "{}" }];
const called = { content, structuredContent: {}, isError: false };
const discovered = {
  supportedVersions: [MODERN],
  capabilities: {},
  ttlMs: 1,
  cacheScope: "public",
};
const task = { taskId: "1", createdAt: "2026-01-01T00:00:00Z", ttlMs: null, pollIntervalMs: 5000 };
task.lastUpdatedAt = task.createdAt;
const RIGHT = [
  [LEGACY, "tools/call", { result: called }],
  [MODERN, "tools/call", { result: { ...called, resultType: "complete" } }],
  [LEGACY, "ping", { result: {} }],
  [MODERN, "server/discover", { result: { ...discovered, resultType: "complete" } }],
  [MODERN, "tools/call", { result: { ...task, status: "working", resultType: "task" } }],
  [MODERN, "tasks/get", { result: { ...task, status: "working", resultType: "complete" } }],
  [MODERN, "tools/call", { error: { code: -32602, message: "No" } }],
  [LEGACY, "tools/call", { error: { code: -32602, message: "No" } }],
];

test("right messages pass", () => {
  for (const [revision, method, message] of RIGHT)
    checkMessage(revision, method, { jsonrpc: "2.0", id: 1, ...message });
});

test("a message of which a part is missing or has another type is refused", () => {
  /** Copies of the message, each with one of its fields gone or wrong. */
  function* wrong(value, path = []) {
    for (const [name, one] of Object.entries(value)) {
      const at = [...path, name].join(".");
      const { [name]: _, ...rest } = value;
      if (!Array.isArray(value)) yield [`${at} is missing`, rest];
      yield [`${at} is wrong`, Object.assign(structuredClone(value), { [name]: { a: [1] } })];
      if (typeof one === "object" && one !== null)
        for (const [what, inner] of wrong(one, [...path, name]))
          yield [what, Object.assign(structuredClone(value), { [name]: inner })];
    }
  }
  // The fields that may be missing, and the objects of any content.
  const optional =
    /^(id|result\.(structuredContent|isError|pollIntervalMs|content\.0)|error) is missing$/;
  const free = /^result\.(structuredContent|capabilities|_meta)( is wrong|\.)|^result is wrong/;
  for (const [revision, method, message] of RIGHT) {
    const whole = { jsonrpc: "2.0", id: 1, ...message };
    let count = 0;
    for (const [what, bad] of wrong(whole)) {
      if (optional.test(what) || free.test(what)) continue;
      assert.throws(
        () => checkMessage(revision, method, bad),
        `${revision} ${method}: ${what}: ${JSON.stringify(bad)}`,
      );
      count += 1;
    }
    assert.ok(count >= 4, `${count} wrong messages of ${method}`);
  }
});

test("unknown errors, methods and notices are refused", () => {
  const message = { jsonrpc: "2.0", id: 1 };
  for (const [revision, method, wrong] of [
    [MODERN, "tools/call", { ...message, error: { code: -32000, message: "No" } }],
    [MODERN, "tools/call", { ...message, error: { code: -32022, message: "No data" } }],
    [MODERN, "initialize", { ...message, result: { resultType: "complete" } }],
    [LEGACY, "server/discover", { ...message, result: {} }],
    [LEGACY, "tools/call", { jsonrpc: "2.0", method: "notifications/message", params: {} }],
    [LEGACY, "tools/call", { jsonrpc: "2.0", method: "notifications/progress", params: {} }],
    [LEGACY, "tools/call", { ...message, result: { content: [{ type: "picture" }] } }],
    [LEGACY, "tools/call", { error: "text" }],
    [LEGACY, "tools/call", []],
  ])
    assert.throws(() => checkMessage(revision, method, wrong), JSON.stringify(wrong));
});
