"""What requests must be that a JSON schema cannot say, and what keeps them from taking long."""

import time

import schemathesis
from hypothesis import strategies as st

FAR = {"min_value": 4_102_444_800, "max_value": 250_000_000_000}  # From 2100 on, in seconds since 1970.
WEBHOOKS = [
    "https://hooks.example.com/waitpoint",
    "https://a.b-c.example.org:8443/?q=1",
    "http://localhost:9/",
]


def written(seconds):
    days, rest = divmod(seconds, 86_400)
    clock = f"{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"
    return f"{2100 + days % 7000}-{1 + days % 12:02}-{1 + days % 28:02}T{clock}"


# A timeout must lie ahead, and nothing before 1970 is a time here.
schemathesis.openapi.format(
    "date-time",
    st.builds(
        lambda seconds, end: written(seconds) + end,
        st.integers(**FAR),
        st.sampled_from(["Z", "z", ".5Z", ".123456789Z", "+02:00", "-11:30"]),
    ),
)


@schemathesis.hook
def before_call(context, case, kwargs):
    operation = case.operation.definition.raw.get("operationId")
    if isinstance(case.body, dict) and is_valid(case):
        if operation == "createToken":
            mend(case.body)
        if operation == "extendToken":
            mend_timeout(case.body)
    if operation == "waitForToken" and case.headers:
        if str(case.headers.get("Prefer", "")).startswith("wait="):
            case.headers["Prefer"] = "wait=1"
        elif "Last-Event-ID" in case.headers:
            case.headers["Accept"] = "text/event-stream"


def is_valid(case):
    return case.meta is not None and case.meta.generation.mode.is_positive


def mend_timeout(body):
    timeout = body.get("timeout")
    if isinstance(timeout, (int, float)) and timeout <= time.time() * 1000 + 60_000:
        body["timeout"] = 4_102_444_800_000 + abs(int(timeout)) % 10**9


def mend_notices(body):
    """Only one channel is there, and no mail. Reminders lie before the timeout, and remind somebody."""
    if isinstance(body.get("onTimeout"), dict) and body.get("timeout") is None:
        body["timeout"] = "30d"
    notify = body.get("notify")
    for index, recipient in enumerate(notify or []):
        if "webhook" in recipient:
            recipient["webhook"] = WEBHOOKS[len(recipient["webhook"]) % len(WEBHOOKS)]
        else:
            notify[index] = {"teams" if "teams" in recipient else "slack": "fuzz"}
    if notify:
        notify[:] = [one for index, one in enumerate(notify) if one not in notify[:index]]
    if body.get("reminders") and notify:
        body["timeout"] = "30d"
        hours = [f"{index + 1}h" for index in range(len(body["reminders"]))]
        body["reminders"] = [
            {name: after for name in reminder} for reminder, after in zip(body["reminders"], hours)
        ]
    elif body.get("reminders"):
        del body["reminders"]


def mend(body):
    mend_timeout(body)
    mend_notices(body)
    if isinstance(body.get("idempotencyKey"), str):
        body["idempotencyKey"] = units(body["idempotencyKey"], 2048)
    tags = body.get("tags")
    if isinstance(tags, str):
        body["tags"] = units(tags, 128)
    elif isinstance(tags, list):
        body["tags"] = [units(tag, 128) for tag in tags]
    if isinstance(body.get("webhook"), dict):
        url = body["webhook"]["url"]
        body["webhook"]["url"] = WEBHOOKS[len(url) % len(WEBHOOKS)]
    callback = body.get("callback")
    if isinstance(callback, dict):
        # Only one secret is there. What a callback is answered must be as the document says, which
        # knows no `respond`.
        if isinstance(callback.get("verify"), dict):
            callback["verify"]["secret"] = "FUZZ"
        if isinstance(callback.get("respond"), dict):
            success = {"status": 200, "contentType": "application/json", "body": '{"success":true}'}
            callback["respond"] = success
    approval = body.get("approval")
    if isinstance(approval, dict):
        if approval.get("approvers"):
            body.pop("callback", None)
        # The schema's pattern knows the commonest characters that show nothing, not all of them.
        for field, most in [("title", 120), ("description", 4000), ("requestedBy", 120)]:
            if isinstance(approval.get(field), str):
                approval[field] = f"x{approval[field]}"[:most]
        for index, choice in enumerate(approval.get("choices", [])):
            choice["label"] = f"{index} {choice['label']}"[:40]
            if "data" in choice:
                choice["data"] = {"index": index, "data": choice["data"]}
        mend_form(approval)
        mend_approvers(approval)


def mend_form(approval):
    """What the parts of a form must be to each other. Every field is kept as of its kind."""
    choices = approval.get("choices", [])
    form = approval.get("form")
    if not isinstance(form, dict):
        approval.pop("validate", None)
        for choice in choices:
            choice.pop("form", None)
        return
    if choices:
        choices[0].pop("form", None)
    fields = {}
    for index, field in enumerate(form["properties"].values()):
        field.pop("default", None)
        field["title"] = f"{index} {field.get('title', '')}x"[:120]
        if field.get("format") in ("date", "date-time"):
            field.pop("minLength", None)
            field.pop("maxLength", None)
        for least, most, low, high in [
            ("minLength", "maxLength", 0, 1000),
            ("minimum", "maximum", -1000, 1000),
        ]:
            if least in field:
                field[least] = low
            if most in field:
                field[most] = high
        if "description" in field:
            field["description"] = f"x{field['description']}"[:500]
        options = field.get("items", field)
        for kind in ("enum", "oneOf", "anyOf"):
            if kind in options:
                options[kind] = [mend_option(kind, index) for index in range(len(options[kind]))]
                field.update({key: 1 for key in ("minItems", "maxItems") if key in field})
        fields[f"field {index}"] = field
    form["properties"] = fields
    if "required" in form:
        form["required"] = list(fields)[: len(form["required"])]


def mend_option(kind, index):
    return f"option {index}" if kind == "enum" else {"const": f"{index}", "title": f"option {index}"}


def mend_approvers(approval):
    """No mail is there. Ids differ, and the approvers can agree."""
    approvers = approval.get("approvers")
    if not approvers:
        approval.pop("required", None)
        for choice in approval.get("choices", []):
            choice.pop("veto", None)
        return
    approval["approvers"] = [{"id": f"id {n}", "name": f"name {n}"} for n in range(len(approvers))]
    if approval.get("required"):
        approval["required"] = min(int(approval["required"]), len(approvers))


def units(text, most):
    """At most so many UTF-16 units, as JavaScript counts."""
    while len(text.encode("utf-16-le")) > most * 2:
        text = text[:-1]
    return text
