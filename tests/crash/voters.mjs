// Approvers who vote on a token, and all that happens to it meanwhile.
import { Clients } from "./clients.mjs";
import { now, pause } from "./worker.mjs";

const HOUR = 3_600_000;

export class Voters extends Clients {
  /** Approvers vote, and others try to decide, extend or cancel. Its owner decides what is left. */
  async poll(token, chance, { fields, number }) {
    const count = 1 + chance.below(chance.hits(0.2) ? 20 : 4);
    token.approvers = Array.from({ length: count }, (_, index) => `approver-${index}`);
    token.required = 1 + chance.below(Math.min(count, 6));
    token.choices = ["yes", "no", "never"].map((label) => ({
      label,
      output: JSON.stringify({ [label]: number }),
      isVeto: label === "never",
    }));
    for (const { output } of token.choices) token.sent.add(output);
    const approval = {
      approvers: token.approvers.map((id) => ({ id, name: `The ${id}` })),
      required: token.required,
      comment: "optional",
      choices: token.choices.map(({ label, output, isVeto }) => ({
        label,
        data: JSON.parse(output),
        veto: isVeto || undefined,
      })),
    };
    const isRaced = chance.hits(0.3);
    await this.createUntil(token, isRaced ? 500 + chance.below(500) : HOUR, {
      ...fields,
      approval,
    });
    const when = isRaced
      ? () => token.timeoutAt - now() + chance.in(-100, 20)
      : () => chance.in(0, 80);
    const vote = (approver, time) => {
      const choice = chance.hits(0.7) ? 0 : chance.of([0, 1, 1, 1, 2]);
      const comment = chance.hits(0.5) ? `${approver} for the ${time + 1}th time` : "";
      const plan = { approver, choice, comment, after: when(), html: chance.hits(0.5) };
      const repeats = chance.hits(0.2) ? 1 : 0;
      return this.vote(token, { ...plan, insists: chance.hits(0.8), repeats });
    };
    const some = (most, share, start) =>
      Array.from({ length: chance.hits(share) ? 1 + chance.below(most) : 0 }, (_, by) => start(by));
    const output = (by) => JSON.stringify({ by, of: token.id });
    await Promise.all([
      // Some vote twice, also at the same time.
      ...token.approvers.flatMap((_, approver) =>
        some(chance.of([1, 1, 2]), 0.9, (time) => vote(approver, time)),
      ),
      ...some(2, 0.5, (by) =>
        this.complete(token, {
          way: chance.of(["jwt", "callback", "approver"]),
          output: output(by),
          after: when(),
          insists: false,
          repeats: 0,
        }),
      ),
      ...some(2, 0.3, () =>
        this.extend(token, {
          millis: HOUR + chance.below(HOUR),
          after: when(),
          insists: chance.hits(0.7),
        }),
      ),
      ...some(1, 0.1, () =>
        this.cancel(token, {
          reason: `reason of ${token.id}`,
          after: when(),
          insists: true,
          repeats: 0,
        }),
      ),
      ...some(1, 0.5, async () => {
        await pause(when());
        await this.read(token);
      }),
    ]);
    const { status, output: decided } = await this.read(token);
    if (token.choices.some(({ output }) => output === decided)) this.counts.quorums += 1;
    if (status === "TIMED_OUT") this.counts.timeouts += 1;
    if (status !== "WAITING") return;
    const owner = { way: "secret", output: output("owner"), after: 0, insists: true, repeats: 0 };
    await this.complete(token, owner);
    await this.read(token);
  }
}
