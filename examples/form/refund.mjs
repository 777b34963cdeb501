// Asks a person to fill in a form, and prints what was filled in.
//
//   node refund.mjs
//
// SECRET_KEY and BASE_URL (default http://localhost:8787) say where the token is made. `npm run
// build` in this clone and `npm install` here bring the package.
import { configure, createToken, waitForToken } from "waitpoint/server";

const { SECRET_KEY, BASE_URL = "http://localhost:8787" } = process.env;
if (!SECRET_KEY) throw new Error("set SECRET_KEY; npm start keeps one in .dev.vars");
configure({ baseURL: BASE_URL, accessToken: SECRET_KEY });

const token = await createToken({
  timeout: "1d",
  approval: {
    title: "Refund order 1042?",
    description: "The parcel came a week late. The customer paid 80.00 EUR.",
    choices: [
      { label: "Refund", data: { go: true }, style: "primary" },
      { label: "Refuse", data: { go: false }, style: "danger", form: false },
    ],
    form: {
      type: "object",
      properties: {
        amount: { type: "number", title: "Amount in EUR", minimum: 0, maximum: 80, default: 80 },
        reason: {
          type: "string",
          title: "Reason",
          oneOf: [
            { const: "late", title: "It came late" },
            { const: "damaged", title: "It was damaged" },
            { const: "other", title: "Another reason" },
          ],
        },
        payOn: { type: "string", format: "date", title: "Pay on" },
        mail: { type: "boolean", title: "Tell the customer", default: true },
      },
      required: ["amount", "reason"],
    },
    // What programs send must match the form as well.
    validate: "all",
  },
});

console.log(`open ${token.url}`);
const { status, output, error } = await waitForToken(token);
if (error) throw error;
if (!output.go) {
  console.log(status, "no refund");
} else {
  const { amount, reason, payOn = "the next working day", mail } = output.fields;
  console.log(`${status}: ${amount} EUR, as it is ${reason}, on ${payOn}`);
  console.log(mail ? "the customer is told" : "the customer is not told");
}
