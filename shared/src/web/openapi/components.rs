//! What operations share: headers, problem replies, parameters and security schemes.

use serde_json::{Map, Value, json};

use super::Operation;
use crate::http::{ErrorCode, FieldCode, cookie};

/// A header of replies.
struct Header {
    name: &'static str,
    description: &'static str,
    schema: fn() -> Value,
}

/// The headers that every reply of a function carries.
pub(super) const ALWAYS: [&str; 6] = [
    "RateLimit",
    "RateLimit-Policy",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    "X-Request-Id",
];

/// The headers that a reply carries where there is something to say.
pub(super) const SOMETIMES: [&str; 2] = ["X-RateLimit-Status", "X-Sync-Token"];

static HEADERS: [Header; 15] = [
    Header {
        name: "Content-Disposition",
        description: "The name under which a browser saves the file.",
        schema: || json!({ "type": "string" }),
    },
    Header {
        name: "ETag",
        description: "The version of what the reply shows. Send it back in `If-None-Match` to be told whether it has changed, or in `If-Match` to change only that version.",
        schema: || json!({ "type": "string", "examples": ["\"hBzVFFv0rVw\""] }),
    },
    Header {
        name: "Idempotency-Replayed",
        description: "`true` if this is the stored reply to an earlier request with the same `Idempotency-Key`.",
        schema: || json!({ "type": "string", "enum": ["true"] }),
    },
    Header {
        name: "Location",
        description: "Where to go on.",
        schema: || json!({ "type": "string", "format": "uri" }),
    },
    Header {
        name: "RateLimit",
        description: "What is left of the limit: the policy's name, `r` requests remaining, and `t` seconds until the window is over.",
        schema: || json!({ "type": "string", "examples": ["\"read\";r=599;t=60"] }),
    },
    Header {
        name: "RateLimit-Policy",
        description: "The limit that applies: the policy's name, its quota `q`, and its window `w` in seconds.",
        schema: || json!({ "type": "string", "examples": ["\"read\";q=600;w=60"] }),
    },
    Header {
        name: "Retry-After",
        description: "How many seconds to wait before sending the request again.",
        schema: || json!({ "type": "integer", "minimum": 0, "examples": [2] }),
    },
    Header {
        name: "Set-Cookie",
        description: "The session cookie. After signing out it is empty and expires at once.",
        schema: || json!({ "type": "string" }),
    },
    Header {
        name: "WWW-Authenticate",
        description: "The scheme to authenticate with.",
        schema: || json!({ "type": "string", "examples": ["Bearer"] }),
    },
    Header {
        name: "X-RateLimit-Limit",
        description: "How many requests the window allows.",
        schema: || json!({ "type": "integer", "minimum": 0, "examples": [600] }),
    },
    Header {
        name: "X-RateLimit-Remaining",
        description: "How many requests are left in the window.",
        schema: || json!({ "type": "integer", "minimum": 0, "examples": [599] }),
    },
    Header {
        name: "X-RateLimit-Reset",
        description: "When the whole limit is available again, or in a 429 when the next request is allowed, in unix milliseconds.",
        schema: || json!({ "type": "integer", "format": "int64", "examples": [1_795_219_260_000_u64] }),
    },
    Header {
        name: "X-RateLimit-Status",
        description: "`unavailable` if the limit could not be checked and the request was let through.",
        schema: || json!({ "type": "string", "enum": ["unavailable"] }),
    },
    Header {
        name: "X-Request-Id",
        description: "The id under which the request is logged. Quote it when you report a problem.",
        schema: || json!({ "type": "string" }),
    },
    Header {
        name: "X-Sync-Token",
        description: "The state of the database after this request. Send it back to read at least that state, from whichever replica answers.",
        schema: || json!({ "type": "string", "maxLength": 512 }),
    },
];

/// References to headers, in order.
pub(super) fn references<'a>(names: impl IntoIterator<Item = &'a str>) -> Map<String, Value> {
    let reference = |name: &str| json!({ "$ref": format!("#/components/headers/{name}") });
    let names = names.into_iter();
    names
        .map(|name| (name.to_owned(), reference(name)))
        .collect()
}

/// A problem reply that operations share.
struct Problem {
    status: u16,
    name: &'static str,
    description: &'static str,
}

const PROBLEMS: [Problem; 12] = [
    problem(
        400,
        "BadRequest",
        "The request is wrong. `errors` lists every wrong field, parameter and header, and what is expected there.",
    ),
    problem(
        401,
        "Unauthorized",
        "The request carries no key and no session, or one that is not valid.",
    ),
    problem(
        403,
        "Forbidden",
        "The operation needs the admin key, or the request comes from a page that may not act for the signed-in user.",
    ),
    problem(
        404,
        "NotFound",
        "The resource does not exist, or was removed when its retention time ended.",
    ),
    problem(
        409,
        "Conflict",
        "The resource is in a state that does not allow this, or a request with the same `Idempotency-Key` is still in progress.",
    ),
    problem(
        412,
        "PreconditionFailed",
        "The resource has changed since the reply whose `ETag` was sent in `If-Match`.",
    ),
    problem(413, "PayloadTooLarge", "The body is larger than 256 KB."),
    problem(
        415,
        "UnsupportedMediaType",
        "The body is not sent as `application/json`.",
    ),
    problem(
        422,
        "IdempotencyKeyReused",
        "The `Idempotency-Key` was used for a different request.",
    ),
    problem(
        429,
        "TooManyRequests",
        "The caller has used up its limit. `resetAt` and `Retry-After` say when to try again. A refused request does not count against the limit.",
    ),
    problem(
        500,
        "InternalServerError",
        "The server made a mistake. The cause is logged under `requestId`.",
    ),
    problem(
        503,
        "ServiceUnavailable",
        "The database or Discord cannot be reached, or an operator has switched this off. Try again later.",
    ),
];

const fn problem(status: u16, name: &'static str, description: &'static str) -> Problem {
    Problem {
        status,
        name,
        description,
    }
}

/// The header that a problem of this status may carry besides those of every reply.
fn header_of(status: u16) -> Option<&'static str> {
    match status {
        401 => Some("WWW-Authenticate"),
        409 | 429 | 503 => Some("Retry-After"),
        _ => None,
    }
}

/// A reference to the problem reply of a status.
pub(super) fn problem_reference(status: u16) -> Option<Value> {
    let problem = PROBLEMS.iter().find(|problem| problem.status == status)?;
    Some(json!({ "$ref": format!("#/components/responses/{}", problem.name) }))
}

/// The problem replies, each with the examples that `examples` has of its status.
pub(super) fn responses(examples: impl Fn(u16) -> Map<String, Value>) -> Map<String, Value> {
    let described = PROBLEMS.iter().map(|problem| {
        let headers = ALWAYS.iter().chain(&SOMETIMES).copied();
        let mut content = json!({ "schema": { "$ref": "#/components/schemas/Problem" } });
        let examples = examples(problem.status);
        if !examples.is_empty() {
            content["examples"] = Value::Object(examples);
        }
        let response = json!({
            "description": problem.description,
            "headers": references(headers.chain(header_of(problem.status))),
            "content": { "application/problem+json": content },
        });
        (problem.name.to_owned(), response)
    });
    let headers = ALWAYS.iter().chain(&SOMETIMES).copied();
    let not_modified = json!({
        "description": "The reply would be the one whose `ETag` was sent in `If-None-Match`.",
        "headers": references(headers.chain(["ETag"])),
    });
    let not_modified = ("NotModified".to_owned(), not_modified);
    described.chain([not_modified]).collect()
}

/// The headers, as the document lists them.
pub(super) fn headers() -> Map<String, Value> {
    let described = HEADERS.iter().map(|header| {
        let value = json!({ "description": header.description, "schema": (header.schema)() });
        (header.name.to_owned(), value)
    });
    described.collect()
}

/// The header parameters that operations share.
pub(super) fn parameters() -> Value {
    json!({
        "Idempotency-Key": {
            "name": "Idempotency-Key",
            "in": "header",
            "description": "Makes the request safe to repeat: for 24 hours, the same key with the same body gets the same reply, and the work is done once.",
            "schema": { "type": "string", "pattern": "^[!-+.-~-]{1,255}$" },
            "example": "8e03978e-40d5-43e8-bc93-6894a57f9324",
        },
        "If-Match": {
            "name": "If-Match",
            "in": "header",
            "description": "The `ETag` of an earlier reply. The change is made only if that is still the current version. `*` matches any version.",
            "schema": { "type": "string", "pattern": "^(\\*|\"[A-Za-z0-9_-]+\")$" },
            "example": "*",
        },
        "If-None-Match": {
            "name": "If-None-Match",
            "in": "header",
            "description": "The `ETag` of an earlier reply. If the reply would be the same, it is 304 without a body.",
            "schema": { "type": "string", "minLength": 1 },
        },
        "X-Sync-Token": {
            "name": "X-Sync-Token",
            "in": "header",
            "description": "The `X-Sync-Token` of an earlier reply. The request then reads at least the state that reply saw.",
            "schema": { "type": "string", "pattern": "^[!-~]*$", "maxLength": 512 },
        },
    })
}

/// How callers authenticate.
pub(super) fn security_schemes() -> Value {
    json!({
        "key": {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key, sent as `Authorization: Bearer <key>`. The operations under `/api/admin` need the admin key; all others take either key.",
        },
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": cookie::NAME,
            "description": "The cookie that `POST /api/sessions` sets. It stands for the key that was used to sign in, until it has not been used for two hours, and for a day at most.",
        },
    })
}

/// What an operation accepts as authentication.
pub(super) fn security(operation: &Operation) -> Value {
    match operation.access {
        crate::http::Access::Open => json!([]),
        _ => json!([{ "key": [] }, { "session": [] }]),
    }
}

/// The body of every refused or failed request.
pub(super) fn problem_schema() -> Value {
    json!({
        "description": "Why a request was refused or failed, as RFC 9457 (`application/problem+json`) has it.",
        "type": "object",
        "required": ["type", "title", "status", "detail", "code", "requestId", "error"],
        "properties": {
            "type": {
                "description": "The section of `docs/ERRORS.md` that describes the problem, relative to the root of the repository.",
                "type": "string",
                "format": "uri-reference",
            },
            "title": { "description": "The name of the HTTP status.", "type": "string" },
            "status": { "description": "The HTTP status.", "type": "integer", "minimum": 400, "maximum": 599 },
            "detail": { "description": "What is wrong, in a sentence for people. It may be reworded at any time.", "type": "string" },
            "code": {
                "description": "What is wrong, for programs. A code never changes its meaning. `docs/ERRORS.md` describes each.",
                "type": "string",
                "enum": ErrorCode::ALL.iter().map(|code| code.name()).collect::<Vec<_>>(),
            },
            "requestId": { "description": "The id under which the request is logged.", "type": "string" },
            "error": { "description": "The same as `title`.", "type": "string" },
            "errors": { "description": "Every wrong field, parameter or header, up to 100. Left out if the problem is not about one.", "type": "array", "maxItems": 100, "items": { "$ref": "#/components/schemas/FieldError" } },
            "resetAt": { "description": "When the caller may try again, in unix milliseconds. Present with status 429.", "type": "integer" },
        },
    })
}

/// One thing that is wrong with a request.
pub(super) fn field_error_schema() -> Value {
    json!({
        "description": "One thing that is wrong with a request. One of `pointer`, `parameter` and `header` says where.",
        "type": "object",
        "required": ["code", "detail"],
        "properties": {
            "pointer": { "description": "A field of the body, as a JSON Pointer (RFC 6901). An empty pointer is the body itself.", "type": "string" },
            "parameter": { "description": "The name of a parameter of the path or the query.", "type": "string" },
            "header": { "description": "The name of a header.", "type": "string" },
            "code": { "description": "What is wrong there, for programs. A code never changes its meaning.", "type": "string", "enum": FieldCode::ALL.map(FieldCode::name) },
            "detail": { "description": "What is expected there, in a sentence for people.", "type": "string" },
            "line": { "description": "The line of a syntax error, counted from 1.", "type": "integer", "minimum": 1 },
            "column": { "description": "The column of a syntax error, counted from 1.", "type": "integer", "minimum": 1 },
        },
    })
}
