// A Cloudflare Workflow that asks a person and sleeps until they have decided.
import { WorkflowEntrypoint } from "cloudflare:workers";
import { Webhook } from "standardwebhooks";
import { createToken, retrieveToken } from "waitpoint/server";

// Without a dot: an event's type may have only letters, digits, - and _, so the type of the
// webhook's message cannot be used.
const EVENT = "waitpoint";
const OFTEN = { retries: { limit: 10, delay: "1 second", backoff: "exponential" } };

/** Started with `{ title, timeout? }`; its output is `{ status, approved, comment }`. */
export class Approval extends WorkflowEntrypoint {
  async run({ instanceId, payload: { title, timeout = "7d" } }, step) {
    const { WAITPOINT_URL, WAITPOINT_KEY, SELF_URL, LOOK_EVERY } = this.env;
    const options = { baseURL: WAITPOINT_URL, accessToken: WAITPOINT_KEY };

    // What a step returns is stored and shown. The token's url is a credential, so it does not
    // leave its step.
    const id = await step.do("ask", OFTEN, async () => {
      const token = await createToken(
        {
          timeout,
          approval: { title },
          // A step that is retried finds the token of its first attempt.
          idempotencyKey: `approval/${instanceId}`,
          webhook: { url: `${SELF_URL}/webhook/${instanceId}` },
        },
        options,
      );
      await tell(this.env, `${title} ${token.url}`);
      return token.id;
    });

    for (;;) {
      const decision = await step.do("read the token", OFTEN, async () => {
        const { status, output } = await retrieveToken(id, options);
        return { status, approved: output?.status === "approved", comment: output?.comment };
      });
      if (decision.status !== "WAITING") {
        if (decision.approved)
          await step.do("publish", async () => console.log(`published: ${title}`));
        return decision;
      }
      // The event only wakes the workflow: the token is the truth. So an event may be lost, late,
      // early (it is kept until it is waited for) or repeated. When the time is over this rejects,
      // and the token is read all the same.
      await step.waitForEvent("a decision", { type: EVENT, timeout: LOOK_EVERY }).catch(() => {});
    }
  }
}

async function tell({ NOTIFY_URL }, text) {
  if (!NOTIFY_URL) return console.log(text);
  const headers = { "content-type": "application/json" };
  const answer = await fetch(NOTIFY_URL, {
    method: "POST",
    headers,
    body: JSON.stringify({ text }),
  });
  if (!answer.ok) throw new Error(`NOTIFY_URL answered ${answer.status}`);
}

export default {
  /**
   * `POST /webhook/<instance>`: a token has ended. Waitpoint repeats it after any response but a
   * 2xx.
   */
  async fetch(request, { APPROVALS, WEBHOOK_SECRET }) {
    const [, id] = /^\/webhook\/([\w-]+)$/.exec(new URL(request.url).pathname) ?? [];
    if (!id || request.method !== "POST") return new Response("not found\n", { status: 404 });
    const webhook = new Webhook(WEBHOOK_SECRET);
    const body = await request.text();
    let message;
    try {
      message = webhook.verify(body, Object.fromEntries(request.headers));
    } catch {
      return new Response("not signed by Waitpoint\n", { status: 401 });
    }
    try {
      const instance = await APPROVALS.get(id);
      const { status } = await instance.status();
      const over = ["complete", "errored", "terminated"].includes(status);
      if (!over) await instance.sendEvent({ type: EVENT, payload: { id: message.data.id } });
    } catch (error) {
      console.error(`the workflow was not told: ${error.message}`);
      return new Response("not told\n", { status: 503 });
    }
    return new Response(null, { status: 204 });
  },
};
