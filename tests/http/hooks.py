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
    if operation == "createToken" and isinstance(case.body, dict) and is_valid(case):
        mend(case.body)
    if operation == "waitForToken" and case.headers:
        if str(case.headers.get("Prefer", "")).startswith("wait="):
            case.headers["Prefer"] = "wait=1"
        elif "Last-Event-ID" in case.headers:
            case.headers["Accept"] = "text/event-stream"


def is_valid(case):
    return case.meta is not None and case.meta.generation.mode.is_positive


def mend(body):
    timeout = body.get("timeout")
    if isinstance(timeout, (int, float)) and timeout <= time.time() * 1000 + 60_000:
        body["timeout"] = 4_102_444_800_000 + abs(int(timeout)) % 10**9
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
        # Only one secret is there, and these statuses have no body.
        if isinstance(callback.get("verify"), dict):
            callback["verify"]["secret"] = "FUZZ"
        respond = callback.get("respond")
        if isinstance(respond, dict) and respond.get("status") in (204, 205):
            respond.pop("body", None)
    approval = body.get("approval")
    if isinstance(approval, dict):
        # The schema's pattern knows the commonest characters that show nothing, not all of them.
        for field, most in [("title", 120), ("description", 4000), ("requestedBy", 120)]:
            if isinstance(approval.get(field), str):
                approval[field] = f"x{approval[field]}"[:most]
        for index, choice in enumerate(approval.get("choices", [])):
            choice["label"] = f"{index} {choice['label']}"[:40]
            if "data" in choice:
                choice["data"] = {"index": index, "data": choice["data"]}


def units(text, most):
    """At most so many UTF-16 units, as JavaScript counts."""
    while len(text.encode("utf-16-le")) > most * 2:
        text = text[:-1]
    return text
