// What a token asks of people: choices, forms, votes.

/** What a person is asked. All texts are plain; in the description line breaks count. */
export interface Approval {
  /** The question, at most 120 characters. */
  title?: string;
  /** What one must know to decide, at most 4,000 characters. */
  description?: string;
  /** Who asks, at most 120 characters. */
  requestedBy?: string;
  /**
   * One to six decisions. Default: Approve, with the output `{"status":"approved"}`, and Reject,
   * with `{"status":"rejected"}`.
   */
  choices?: Choice[];
  /** Whether a comment is asked for; it becomes `comment` of the output. Default `optional`. */
  comment?: "optional" | "required" | "none";
  /** `click` (the default), `choose` (mark a choice, then send) or `typed` (type its label). */
  confirm?: "click" | "choose" | "typed";
  /** What to fill in besides; it becomes `fields` of the output. */
  form?: ApprovalForm;
  /**
   * Whose outputs must match the form: those of the `page` (the default), or `all`, also of
   * `completeToken` and of callbacks. Others are refused with the code `invalid_fields`.
   */
  validate?: "page" | "all";
  /**
   * Who decides by votes, each with a link of their own; at most 20. The token's `url` and its
   * public access token then decide nothing, a secret key does.
   */
  approvers?: Approver[];
  /** How many approvers must vote for the same choice. Default 1. */
  required?: number;
}

/** One of the decisions that can be made. */
export interface Choice {
  /** What its button says, at most 40 characters. No two labels may look the same. */
  label: string;
  /** The output, anything that JSON can say. Default: `{"choice": label}`. */
  data?: unknown;
  /** Default `neutral`. */
  style?: "primary" | "danger" | "neutral";
  /** Whether it sends the form. Default true. */
  form?: boolean;
  /** Whether one vote for it decides. Default false; needs `approvers`. */
  veto?: boolean;
}

/**
 * The fields of a form: a flat JSON Schema, in the subset of MCP's elicitation. At most 20, shown
 * in this order.
 *
 * ```js
 * const form = {
 *   type: "object",
 *   properties: {
 *     amount: { type: "number", title: "Amount in EUR", minimum: 0, maximum: 5000 },
 *     reason: { type: "string", enum: ["damaged", "late"] },
 *   },
 *   required: ["amount"],
 * };
 * ```
 */
export interface ApprovalForm {
  $schema?: "https://json-schema.org/draft/2020-12/schema";
  type: "object";
  /** The fields by name, which is their key in the output; at most 64 characters. */
  properties: Record<string, FormField>;
  /** The names of those that must be filled in. */
  required?: string[];
  additionalProperties?: false;
}

/** A field, and the control that the page has for it. */
export type FormField = {
  /** Its label, at most 120 characters. Default: its name. */
  title?: string;
  /** What to know to fill it in, at most 500 characters. */
  description?: string;
} & (
  | FormText
  | ({
      /** One of several options. */
      type: "string";
      /** The value of an option. */
      default?: string;
    } & FormOptions)
  | {
      /** A number, exact in the output as text has it. */
      type: "number" | "integer";
      minimum?: number;
      maximum?: number;
      default?: number;
    }
  | {
      /** A box to tick: `false` if it is not ticked. */
      type: "boolean";
      default?: boolean;
    }
  | {
      /** Some of several options, each at most once. */
      type: "array";
      items: { type?: "string" } & FormOptions;
      minItems?: number;
      maxItems?: number;
      uniqueItems?: true;
      default?: string[];
    }
);

/** A text. Without a `format` of at most 2,000 characters unless `maxLength` says otherwise. */
export interface FormText {
  type: "string";
  /** Of `date-time` the page takes a time in UTC; the output always has an offset. */
  format?: "email" | "uri" | "date" | "date-time";
  minLength?: number;
  /** At most 10,000. */
  maxLength?: number;
  default?: string;
}

/** At most 100 options: their values, or values with labels. */
export type FormOptions =
  | { enum: string[] }
  | { oneOf: { const: string; title: string }[] }
  | { anyOf: { const: string; title: string }[] };

/** Somebody who votes. */
export interface Approver {
  /** What identifies them in votes and history, at most 128 characters. */
  id: string;
  /** For people, at most 120 characters. */
  name: string;
  /** Where their link is sent. */
  email?: string;
  /** The language of that mail. */
  locale?: string;
}

/** The link with which an approver votes. Whoever has it has their vote. */
export interface ApproverLink {
  /** The approver's id. */
  approver: string;
  url: string;
  shortUrl: string;
}

/** The vote of an approver: their last one. */
export interface Vote {
  /** The approver's id. */
  approver: string;
  /** The label of the choice. */
  choice: string;
  at: Date;
  comment?: string;
  /** What they filled in. */
  fields?: Record<string, unknown>;
}
