// The fields of a token's form as native controls, by the rules of the token's own page.

/** Longer texts get a control of several lines, and more options a list to open. */
const MAX_LINE = 200;
const MAX_RADIO_BUTTONS = 5;

const TYPES = {
  boolean: "checkbox",
  number: "number",
  integer: "number",
  email: "email",
  uri: "url",
  date: "date",
  "date-time": "datetime-local",
};

function make(tag, properties, ...children) {
  const { part, ...others } = properties;
  const element = Object.assign(document.createElement(tag), others);
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
    Object.assign(this, { name, schema, isRequired, isGroup });
    this.message = make("span", { id: `${id}-fault`, part: "fault", hidden: true });
    const texts = description
      ? [make("span", { id: `${id}-hint`, part: "hint", textContent: description }), this.message]
      : [this.message];
    // A group of check boxes cannot say itself that it is required.
    const star = make("span", { textContent: " *", ariaHidden: isList ? null : "true" });
    const label = [format === "date-time" ? `${title} (UTC)` : title, isRequired ? star : ""];
    const tick = (input, ...label) => make("label", { className: "option" }, input, " ", ...label);
    if (isGroup) {
      this.controls = options.map((option) =>
        this.#input(isList ? "checkbox" : "radio", id, option),
      );
      this.box = make(
        "fieldset",
        {},
        make("legend", {}, ...label),
        ...texts,
        ...options.map(({ title }, index) => tick(this.controls[index], title)),
      );
      if (!isList) this.box.role = "radiogroup";
      this.box.setAttribute("aria-describedby", texts.map(({ id }) => id).join(" "));
    } else {
      const control = options ? this.#select(options) : this.#control();
      control.id = id;
      control.setAttribute("aria-describedby", texts.map(({ id }) => id).join(" "));
      this.controls = [control];
      const named = make("label", { htmlFor: id }, ...label);
      this.box =
        type === "boolean"
          ? make("div", {}, tick(control, ...label), ...texts)
          : make("div", {}, named, ...texts, control);
    }
    this.box.setAttribute("part", "field");
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
    const required = this.isRequired;
    if (type === "boolean") return make("input", { type: "checkbox", checked: given === true });
    const dir = "auto";
    if (type === "string" && !format && (maxLength > MAX_LINE || given.includes("\n")))
      return make("textarea", { value: given, required, maxLength, dir });
    const input = make("input", { type: TYPES[format ?? type] ?? "text", required });
    if (input.type === "number") {
      Object.assign(input, { step: type === "integer" ? 1 : "any", min: minimum, max: maximum });
    } else if (format?.startsWith("date")) input.step = "any";
    else Object.assign(input, { maxLength, dir });
    // In UTC, without its offset.
    input.value =
      given && format === "date-time" ? new Date(given).toISOString().slice(0, 19) : given;
    return input;
  }

  /** As it is in the output; undefined if it was left empty. */
  value() {
    const { type, format, minItems } = this.schema;
    const [{ checked, value }] = this.controls;
    if (type === "boolean") return checked;
    if (this.isGroup) {
      const chosen = this.controls.filter(({ checked }) => checked).map(({ value }) => value);
      if (type !== "array") return chosen[0];
      return chosen.length > 0 || (this.isRequired && !minItems) ? chosen : undefined;
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
    const told = control.validationMessage;
    const value = this.value();
    if (told || value === undefined)
      return told || (this.isRequired && minItems ? `Choose at least ${minItems}.` : "");
    if (!this.isGroup)
      return [...`${value}`].length < minLength ? `Use at least ${minLength} characters.` : "";
    if (value.length < minItems) return `Choose at least ${minItems}.`;
    return value.length > maxItems ? `Choose at most ${maxItems}.` : "";
  }

  /** Shows what is wrong with it. */
  tell(fault) {
    Object.assign(this.message, { textContent: fault, hidden: !fault });
    const isRadio = this.box.role === "radiogroup";
    for (const element of isRadio ? [this.box] : this.controls)
      element.ariaInvalid = fault ? "true" : null;
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
    const nameOf = (pointer = "") =>
      pointer.split("/")[2]?.replaceAll("~1", "/").replaceAll("~0", "~");
    return this.tell(({ name }) =>
      details
        .filter(({ pointer }) => nameOf(pointer) === name)
        .map(({ message }) => message)
        .join(" "),
    );
  }
}
