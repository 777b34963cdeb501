// The entry `waitpoint/element`: <waitpoint-approval>, on top of `waitpoint`. Importing it defines
// it.
import { Form, make } from "./fields.js";
import { completeToken, retrieveToken, WaitpointError } from "./index.js";

// The sentence of each state is a slot, so that a page can replace it.
const SENTENCES = {
  idle: "",
  sending: "Sending your decision…",
  done: "Your decision was recorded.",
  decided: "This was already decided.",
  expired: "Time is up. This can no longer be decided.",
  withdrawn: "This was withdrawn. Nothing is left to decide.",
  failed: "Your decision could not be sent.",
};

// What else a failure may be.
const FAILURES = {
  unread: "The question could not be loaded.",
  approvers_only: "This is decided by its approvers, at links of their own.",
};

const STYLES = `
:host { display: block; font: inherit; --gap: var(--waitpoint-gap, 0.75rem); }
:host([hidden]), [hidden] { display: none !important; }
[part=label], [part=field] { display: block; margin: 0 0 var(--gap); }
fieldset, legend { border: 0; padding: 0; }
[part=hint], [part=fault] { display: block; }
.option { display: flex; gap: 0.5rem; align-items: center; }
button, textarea, select, input {
  font: inherit; color: inherit; border-radius: var(--waitpoint-radius, 0.5rem);
}
button { border: 1px solid transparent; padding: 0.5rem 1.25rem; cursor: pointer; }
[part=fault], button { font-weight: 600; }
textarea, select, input, .neutral {
  background: transparent;
  border: 1px solid color-mix(in srgb, currentColor 55%, transparent);
}
button, select, input, .option { min-height: 2.75rem; }
textarea, select, label[for] ~ input {
  box-sizing: border-box; display: block; width: 100%; margin-top: 0.25rem; padding: 0.5rem;
}
textarea { min-height: 4.5em; }
option { color: CanvasText; background: Canvas; }
.primary { background: var(--waitpoint-accent, #1a5fb4); color: var(--waitpoint-on-accent, #fff); }
.danger { background: var(--waitpoint-danger, #b3261e); color: var(--waitpoint-on-danger, #fff); }
:focus-visible { outline: 3px solid var(--waitpoint-focus, currentColor); outline-offset: 2px; }
button[aria-disabled="true"] { opacity: 0.6; cursor: progress; }
.row { display: flex; flex-wrap: wrap; gap: var(--gap); }
p { margin: 0; }
.row:not([hidden]) + p:not([data-state="idle"]) { margin-top: var(--gap); }
`;

// The state for what a completion or a reading tells.
const ENDS = {
  "already-completed": "decided",
  COMPLETED: "decided",
  "timed-out": "expired",
  TIMED_OUT: "expired",
  cancelled: "withdrawn",
};

const TOKEN = ["token-url", "token-id", "access-token", "base-url"];

// What is offered where the token does not say, or its credential may not read it.
const DECISIONS = {
  approve: { label: "Approve", data: { status: "approved" }, style: "primary" },
  reject: { label: "Reject", data: { status: "rejected" } },
};
const MARKUP = ["approve", "reject", "approve-data", "reject-data"];

export class WaitpointApproval extends (globalThis.HTMLElement ?? Object) {
  static observedAttributes = [...TOKEN, ...MARKUP, "comment"];
  #parts = {};
  #state = "idle";
  /** What the token asks, if it does and may be read. */
  #approval;
  #form;
  /** The choices by name. */
  #choices = new Map();
  /** The name of the choice that was made last. */
  #chosen;
  /** Pending until what the token asks is known. */
  #reading;
  #isRead = false;
  /** Aborted when the element shows another token, or none. */
  #shown = new AbortController();

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLES);
    root.adoptedStyleSheets = [sheet];
    const add = (parent, tag, part, fields) => {
      this.#parts[part] = make(tag, { ...fields, part });
      return parent.appendChild(this.#parts[part]);
    };
    add(root, "slot");
    add(root, "div", "fields", { hidden: true });
    const label = add(root, "label", "label", { hidden: true });
    add(label, "slot", "", { name: "comment" }).append("Comment");
    add(label, "span", "required", { textContent: " *", ariaHidden: "true" });
    add(label, "textarea", "comment", { maxLength: 2000 });
    add(root, "div", "buttons", { className: "row" });
    const status = add(root, "p", "status", { tabIndex: -1 });
    status.setAttribute("role", "status");
    add(root, "div", "again", { className: "row", hidden: true });
    add(this.#parts.again, "button", "retry", {
      className: "neutral",
      type: "button",
      onclick: () => {
        if (this.#chosen) return this.decide(this.#chosen);
        // The button goes, and the focus must not.
        status.focus();
        this.#restart();
      },
    });
    add(this.#parts.retry, "slot", "", { name: "retry" }).append("Try again");
    add(root, "a", "link", { hidden: true });
    add(this.#parts.link, "slot", "", { name: "link" }).append("Decide on the page");
    this.#offer();
  }

  connectedCallback() {
    // If it is moved within the page while it sends, it goes on.
    if (this.#state !== "sending") this.#restart();
  }

  disconnectedCallback() {
    if (this.#state !== "sending") this.#shown.abort();
  }

  attributeChangedCallback(name, before, after) {
    if (before === after) return;
    if (MARKUP.includes(name)) this.#offer();
    this.#label();
    if (!TOKEN.includes(name) || !this.isConnected) return;
    this.#parts.comment.value = "";
    this.#form = undefined;
    this.#restart();
  }

  /** One of those of SENTENCES. The attribute `state` follows it. */
  get state() {
    return this.#state;
  }

  /** Decides as the button does. Resolves when the state is final or failed. */
  async decide(name) {
    const token = this.#token();
    if (!this.#isRead && (!this.#reading || this.#state === "failed")) this.#restart();
    // It is read anew if it is moved within the page.
    for (let reading; !this.#isRead && reading !== this.#reading; await reading)
      reading = this.#reading;
    if (!this.#isRead || token !== this.#token()) return;
    const choice = this.#choices.get(name);
    if (!choice) {
      const names = [...this.#choices.keys()];
      throw new TypeError(`${name} is not a decision. Use ${names.join(" or ")}.`);
    }
    if (!/idle|failed/.test(this.#state)) return;
    const form = choice.form === false ? undefined : this.#form;
    if (form?.tell()) return;
    const { comment } = this.#parts;
    // White space does not count as a comment.
    comment.value = comment.value.trim();
    if (!comment.reportValidity()) return;
    this.#chosen = name;
    this.#show("sending");
    const { signal: other } = this.#shown;
    try {
      const data = this.#data(name, form?.values());
      const { outcome } = await completeToken(this.#token(), data, this.#options());
      if (other.aborted) return;
      this.#show(ENDS[outcome] ?? "done");
      this.#dispatch("waitpoint-complete", { outcome, data, decision: name });
    } catch (error) {
      if (other.aborted) return;
      const { code } = error;
      this.#show(code === "public_token_expired" ? "expired" : "failed", error.retryable, code);
      // Where even the request without WebAssembly failed, the server's own page may work. Votes
      // are cast there alone.
      const url = this.getAttribute("token-url");
      const isForPage = /wasm_unavailable|approvers_only/.test(`${code} ${error.cause?.code}`);
      if (isForPage && this.#state === "failed" && /^https?:/.test(url))
        Object.assign(this.#parts.link, { href: url, hidden: false });
      if (code === "invalid_fields" && form?.tellDetails(error.details)) this.#show("idle");
      // A mistake in the markup is reported to its author.
      if (code === "invalid_argument") console.error(error);
      this.#dispatch("waitpoint-error", { error });
    }
  }

  /** Shows another token, once, however many attributes change together. */
  #restart() {
    this.#shown.abort();
    this.#shown = new AbortController();
    const { signal } = this.#shown;
    this.#isRead = false;
    this.#chosen = undefined;
    this.#show("idle");
    this.#reading = Promise.resolve().then(() => signal.aborted || this.#read(signal));
  }

  /**
   * Asks what the token asks, and whether it was decided before. If the credential may not read,
   * only its expiry is checked.
   */
  async #read(signal) {
    const token = this.#token();
    let state;
    let approval;
    try {
      if (token) {
        const limits = { timeoutInMs: 5_000, retry: { maxAttempts: 3 } };
        const read = await retrieveToken(token, { ...this.#options(), ...limits, signal });
        state = ENDS[read.cancelledAt ? "cancelled" : read.status];
        approval = read.approval;
      }
    } catch ({ code, retryable }) {
      if (signal.aborted) return;
      // Other choices than the token's must not be offered because of a bad connection.
      if (retryable) return this.#show("failed", true, "unread");
      if (code === "public_token_expired") state = "expired";
    }
    if (signal.aborted) return;
    // What was filled in stays if the same token is shown again.
    this.#form ??= approval?.form && new Form(approval.form);
    this.#parts.fields.replaceChildren(...(this.#form?.boxes ?? []));
    this.#approval = approval;
    this.#isRead = true;
    this.#offer();
    this.#show(state ?? "idle");
  }

  /** Makes a button for each choice: of the markup, else of the token. */
  #offer() {
    const isOwn = MARKUP.some((name) => this.hasAttribute(name));
    const asked = isOwn ? undefined : this.#approval?.choices;
    const named = asked?.map((choice) => [choice.label, choice]) ?? Object.entries(DECISIONS);
    this.#choices = new Map(named);
    const buttons = named.map(([name, choice]) => {
      const { style = "neutral" } = choice;
      const label = (asked ? null : this.getAttribute(name)) ?? choice.label;
      return make(
        "button",
        {
          type: "button",
          className: style,
          hidden: !label,
          onclick: () => this.decide(name),
          part: `${asked ? "choice" : name} ${style}`,
        },
        label,
      );
    });
    this.#parts.buttons.replaceChildren(...buttons);
  }

  #label() {
    const { label, comment, required, fields } = this.#parts;
    const asked =
      this.getAttribute("comment") ?? (this.#approval && (this.#approval.comment ?? "optional"));
    const isOpen = this.#isRead && /idle|sending|failed/.test(this.#state);
    fields.hidden = !isOpen || !this.#form;
    label.hidden = !isOpen || !/optional|required/.test(asked);
    required.hidden = asked !== "required";
    comment.required = asked === "required";
  }

  #data(name, fields) {
    let { data = { choice: name } } = this.#choices.get(name);
    const text = this.getAttribute(`${name}-data`);
    try {
      if (text !== null) data = JSON.parse(text);
    } catch (cause) {
      const message = `${name}-data is not valid JSON: ${text}`;
      throw new WaitpointError(message, { code: "invalid_argument", cause });
    }
    const comment = this.#parts.label.hidden ? "" : this.#parts.comment.value;
    if (!comment && !fields) return data;
    const isObject = Object(data) === data && !Array.isArray(data);
    return {
      ...(isObject ? data : { data }),
      ...(comment && { comment }),
      ...(fields && { fields }),
    };
  }

  #token() {
    return this.getAttribute("token-url") ?? this.getAttribute("token-id") ?? "";
  }

  #options() {
    const of = (name) => this.getAttribute(name) ?? undefined;
    return { accessToken: of("access-token"), baseURL: of("base-url") };
  }

  /** `failure` is one of FAILURES, or another code. */
  #show(state, retryable, failure) {
    const { buttons, again, retry, status, comment, fields, link } = this.#parts;
    link.hidden = true;
    // Focus moves on only if it was here.
    const focused = this.shadowRoot.activeElement;
    this.#state = state;
    this.setAttribute("state", state);
    const isOver = !/idle|sending/.test(state);
    buttons.hidden = !this.#isRead || isOver || focused === retry;
    // While it is sent again its button stays, and keeps the focus.
    const isSending = state === "sending";
    again.hidden = !(retryable || (isSending && focused === retry));
    for (const button of [...buttons.children, retry]) button.ariaDisabled = isSending;
    comment.readOnly = isSending;
    fields.inert = isSending;
    this.#label();
    const sentence = (state === "failed" && FAILURES[failure]) || SENTENCES[state];
    status.dataset.state = state;
    status.replaceChildren(make("slot", { name: state }, sentence));
    if (focused && isOver) (retryable ? retry : status).focus();
  }

  #dispatch(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}

if (globalThis.customElements && !customElements.get("waitpoint-approval")) {
  customElements.define("waitpoint-approval", WaitpointApproval);
}
