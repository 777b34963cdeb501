// The fields of a token's form as native controls, by the rules of the token's own page.

/** Longer texts get a control of several lines, and more options a list to open. */
const MAX_LINE = 200;
const MAX_RADIO_BUTTONS = 5;

/** The types of controls that are not called as the format. */
const TYPES = { uri: "url", "date-time": "datetime-local" };

/** An element, its attribute `part` among the properties. */
export function make(tag, { part, ...properties }, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  if (part) element.setAttribute("part", part);
  element.append(...children);
  return element;
}

/** The control of a field that is no group of them. */
function makeControl(schema, options, required) {
  const { type, format, maxLength = 2000, minimum: min = "", maximum: max = "" } = schema;
  const { default: given = "" } = schema;
  if (type === "boolean") return make("input", { type: "checkbox", checked: given });
  if (options) {
    const all = [{ const: "", title: "" }, ...options];
    const option = ({ const: value, title }) => make("option", { value }, title);
    return Object.assign(make("select", { required }, ...all.map(option)), { value: given });
  }
  const isLong = type === "string" && !format && (maxLength > MAX_LINE || given.includes("\n"));
  const text = { required, maxLength, dir: "auto" };
  if (isLong) return make("textarea", { ...text, value: given });
  const step = type === "integer" ? 1 : "any";
  if (type !== "string")
    return make("input", { type: "number", required, step, min, max, value: given });
  // In UTC, without its offset.
  const isTime = given && format === "date-time";
  const value = isTime ? new Date(given).toISOString().slice(0, 19) : given;
  return make("input", { type: TYPES[format] ?? format ?? "text", ...text, step, value });
}

function makeField([name, schema], id, required) {
  const { type, title = name, description, format, items, minLength, minItems, maxItems } = schema;
  const { enum: values, oneOf, anyOf } = items ?? schema;
  const options = values?.map((value) => ({ const: value, title: value })) ?? oneOf ?? anyOf;
  const isList = type === "array";
  const isGroup = isList || (options && required && options.length <= MAX_RADIO_BUTTONS);
  const message = make("span", { id: `${id}-fault`, part: "fault", hidden: true });
  const texts = [message];
  if (description) texts.unshift(make("span", { id: `${id}-hint`, part: "hint" }, description));
  // A group of check boxes cannot say itself that it is required.
  const star = make("span", { ariaHidden: !isList }, " *");
  const label = [title, format === "date-time" ? " (UTC)" : "", required ? star : ""];
  const tick = (input, ...label) => make("label", { className: "option" }, input, ...label);
  const box = make(isGroup ? "fieldset" : "div", { part: "field" });
  let [described, marked, controls] = [box];
  if (isGroup) {
    const kind = { type: isList ? "checkbox" : "radio", name: id, required: !isList };
    const isDefault = (value) => [schema.default].flat().includes(value);
    controls = options.map(({ const: value }) =>
      make("input", { ...kind, value, checked: isDefault(value) }),
    );
    marked = controls;
    if (!isList) {
      box.role = "radiogroup";
      marked = [box];
    }
    const ticks = options.map(({ title }, index) => tick(controls[index], title));
    box.append(make("legend", {}, ...label), ...texts, ...ticks);
  } else {
    described = makeControl(schema, options, required);
    described.id = id;
    marked = [described];
    controls = marked;
    if (type === "boolean") box.append(tick(described, ...label), ...texts);
    else box.append(make("label", { htmlFor: id }, ...label), ...texts, described);
  }
  described.setAttribute("aria-describedby", texts.map(({ id }) => id).join(" "));
  const [control] = controls;

  /** As it is in the output; undefined if it was left empty. */
  const value = () => {
    if (type === "boolean") return control.checked;
    if (isGroup) {
      const chosen = controls.filter(({ checked }) => checked).map(({ value }) => value);
      if (!isList) return chosen[0];
      return chosen.length > 0 || required ? chosen : undefined;
    }
    const text = control.value.trim();
    if (!text) return undefined;
    if (control.type === "number") return Number(text);
    // Browsers leave out seconds of zero.
    return format === "date-time" ? `${text}${text.length > 16 ? "" : ":00"}Z` : text;
  };

  /** What is wrong with it; empty if nothing is. */
  const fault = () => {
    // White space alone fills nothing in.
    if (control.value && !control.value.trim()) control.value = "";
    const given = value();
    if (control.validationMessage || given === undefined) return control.validationMessage;
    // Of a text its characters count.
    const { length } = isGroup ? given : [...`${given}`];
    if (length < minItems) return `Choose at least ${minItems}.`;
    if (length > maxItems) return `Choose at most ${maxItems}.`;
    return length < minLength ? `Use at least ${minLength} characters.` : "";
  };

  /** Shows what is wrong with it. */
  const tell = (fault) => {
    Object.assign(message, { textContent: fault, hidden: !fault });
    for (const element of marked) element.ariaInvalid = !!fault;
  };

  return { name, box, control, value, fault, tell };
}

export class Form {
  #fields;

  constructor({ properties, required = [] }) {
    this.#fields = Object.entries(properties).map((entry, index) =>
      makeField(entry, `field-${index}`, required.includes(entry[0])),
    );
  }

  get boxes() {
    return this.#fields.map(({ box }) => box);
  }

  /** The output's `fields`. */
  values() {
    const filled = this.#fields.filter(({ value }) => value() !== undefined);
    return Object.fromEntries(filled.map(({ name, value }) => [name, value()]));
  }

  /** Tells what is wrong with each field, as `faultOf` says. Returns whether something is. */
  tell(faultOf = ({ fault }) => fault()) {
    const wrong = this.#fields.filter((field) => {
      const fault = faultOf(field);
      field.tell(fault);
      return fault;
    });
    wrong[0]?.control.focus();
    return wrong.length > 0;
  }

  /** Tells what the server said of the fields: `details` of its error. */
  tellDetails(details = []) {
    const nameOf = (pointer) => pointer?.split("/")[2]?.replaceAll("~1", "/").replaceAll("~0", "~");
    return this.tell(({ name }) => {
      const own = details.filter(({ pointer }) => nameOf(pointer) === name);
      return own.map(({ message }) => message).join(" ");
    });
  }
}
