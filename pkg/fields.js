// The fields of a token's form as native controls, by the rules of the token's own page.

/** Longer texts get a control of several lines, and more options a list to open. */
const MAX_LINE = 200;
const MAX_RADIO_BUTTONS = 5;

/** The types of controls that are not called as the format. */
const TYPES = { number: "number", integer: "number", uri: "url", "date-time": "datetime-local" };

/** An element, its attribute `part` among the properties. */
export function make(tag, { part, ...properties }, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  if (part) element.setAttribute("part", part);
  element.append(...children);
  return element;
}

class Field {
  constructor([name, schema], id, isRequired) {
    const { type, title = name, description, format, items } = schema;
    const { enum: values, oneOf, anyOf } = items ?? schema;
    const options = values?.map((value) => ({ const: value, title: value })) ?? oneOf ?? anyOf;
    const isList = type === "array";
    const isGroup = isList || (options && isRequired && options.length <= MAX_RADIO_BUTTONS);
    this.message = make("span", { id: `${id}-fault`, part: "fault", hidden: true });
    const hint = { id: `${id}-hint`, part: "hint", textContent: description };
    const texts = description ? [make("span", hint), this.message] : [this.message];
    // A group of check boxes cannot say itself that it is required.
    const star = make("span", { textContent: " *", ariaHidden: isList ? null : "true" });
    const label = [format === "date-time" ? `${title} (UTC)` : title, isRequired ? star : ""];
    const tick = (input, ...label) => make("label", { className: "option" }, input, " ", ...label);
    this.box = make(isGroup ? "fieldset" : "div", { part: "field" });
    let described = this.box;
    Object.assign(this, { name, schema, isRequired, isGroup });
    if (isGroup) {
      this.controls = options.map((option) =>
        this.#input(isList ? "checkbox" : "radio", id, option),
      );
      const ticks = options.map(({ title }, index) => tick(this.controls[index], title));
      this.box.append(make("legend", {}, ...label), ...texts, ...ticks);
      if (!isList) this.box.role = "radiogroup";
    } else {
      described = options ? this.#select(options) : this.#control();
      described.id = id;
      this.controls = [described];
      if (type === "boolean") this.box.append(tick(described, ...label), ...texts);
      else this.box.append(make("label", { htmlFor: id }, ...label), ...texts, described);
    }
    described.setAttribute("aria-describedby", texts.map(({ id }) => id).join(" "));
  }

  #input(type, name, { const: value }) {
    const checked = [this.schema.default].flat().includes(value);
    return make("input", { type, name, value, checked, required: type === "radio" });
  }

  #select(options) {
    const all = [{ const: "", title: "" }, ...options];
    const option = ({ const: value, title }) => make("option", { value, textContent: title });
    const select = make("select", { required: this.isRequired }, ...all.map(option));
    select.value = this.schema.default ?? "";
    return select;
  }

  #control() {
    const { type, format, maxLength = 2000, minimum = "", maximum = "" } = this.schema;
    const given = this.schema.default ?? "";
    const { isRequired: required } = this;
    if (type === "boolean") return make("input", { type: "checkbox", checked: given === true });
    const dir = "auto";
    if (type === "string" && !format && (maxLength > MAX_LINE || given.includes("\n")))
      return make("textarea", { value: given, required, maxLength, dir });
    const input = make("input", { type: TYPES[format ?? type] ?? format ?? "text", required });
    if (input.type === "number") {
      Object.assign(input, { step: type === "integer" ? 1 : "any", min: minimum, max: maximum });
    } else if (format === "date-time") input.step = "any";
    else Object.assign(input, { maxLength, dir });
    // In UTC, without its offset.
    input.value =
      given && format === "date-time" ? new Date(given).toISOString().slice(0, 19) : given;
    return input;
  }

  /** As it is in the output; undefined if it was left empty. */
  value() {
    const { type, format } = this.schema;
    const [{ checked, value }] = this.controls;
    if (type === "boolean") return checked;
    if (this.isGroup) {
      const chosen = this.controls.filter(({ checked }) => checked).map(({ value }) => value);
      if (type !== "array") return chosen[0];
      return chosen.length > 0 || this.isRequired ? chosen : undefined;
    }
    const text = value.trim();
    if (!text) return undefined;
    if (type === "number" || type === "integer") return Number(text);
    // Browsers leave out seconds of zero.
    return format === "date-time" ? `${text}${text.length > 16 ? "" : ":00"}Z` : text;
  }

  /** What is wrong with it; empty if nothing is. */
  fault() {
    const { minLength = 0, minItems = 0, maxItems } = this.schema;
    const [control] = this.controls;
    // White space alone fills nothing in.
    if (control.value && !control.value.trim()) control.value = "";
    const value = this.value();
    if (control.validationMessage || value === undefined) return control.validationMessage;
    // Of a text its characters count.
    const { length } = this.isGroup ? value : [...`${value}`];
    if (length < minItems) return `Choose at least ${minItems}.`;
    if (length > maxItems) return `Choose at most ${maxItems}.`;
    return length < minLength ? `Use at least ${minLength} characters.` : "";
  }

  /** Shows what is wrong with it. */
  tell(fault) {
    Object.assign(this.message, { textContent: fault, hidden: !fault });
    const isRadio = this.box.role === "radiogroup";
    for (const element of isRadio ? [this.box] : this.controls) element.ariaInvalid = !!fault;
  }
}

export class Form {
  #fields;

  constructor({ properties, required = [] }) {
    const field = (entry, index) => new Field(entry, `field-${index}`, required.includes(entry[0]));
    this.#fields = Object.entries(properties).map(field);
  }

  get boxes() {
    return this.#fields.map(({ box }) => box);
  }

  /** The output's `fields`. */
  values() {
    const values = this.#fields.map((field) => [field.name, field.value()]);
    return Object.fromEntries(values.filter(([, value]) => value !== undefined));
  }

  /** Tells what is wrong with each field, as `faultOf` says. Returns whether something is. */
  tell(faultOf = (field) => field.fault()) {
    const wrong = this.#fields.filter((field) => {
      const fault = faultOf(field);
      field.tell(fault);
      return fault;
    });
    wrong[0]?.controls[0].focus();
    return wrong.length > 0;
  }

  /** Tells what the server said of the fields: `details` of its error. */
  tellDetails(details = []) {
    const nameOf = (pointer) => pointer?.split("/")[2]?.replaceAll("~1", "/").replaceAll("~0", "~");
    return this.tell(({ name }) =>
      details
        .filter(({ pointer }) => nameOf(pointer) === name)
        .map(({ message }) => message)
        .join(" "),
    );
  }
}
