//! Serves uploaded files at signed URLs, with byte ranges.

mod range;

use axum::{
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::{media, signing, state::State};
use range::Wanted;

const GONE: &str = "This content is no longer available.";

/// Answers `/attachments/{channel}/{attachment}/{name}?ex=…&is=…&hm=…&`. Unknown,
/// deleted, expired and incorrectly signed URLs all return the same 404.
pub(crate) fn answer(
    state: &State,
    path: &str,
    query: &str,
    headers: &HeaderMap,
    ignores_range: bool,
) -> Response {
    let guild = state.guild();
    let file = signing::attachment_id(path)
        .and_then(|id| guild.find_file(id))
        .filter(|file| file.location() == format!("cdn:{path}"))
        .filter(|_| state.signer.is_valid(path, query, state.now_ms()));
    let Some(file) = file else {
        return (StatusCode::NOT_FOUND, GONE).into_response();
    };

    let asked = headers
        .get(header::RANGE)
        .and_then(|value| value.to_str().ok())
        .filter(|_| !ignores_range);
    let content_type = file
        .content_type
        .clone()
        .unwrap_or_else(|| "application/octet-stream".to_owned());
    let common = [
        (header::CONTENT_TYPE, content_type),
        (header::ACCEPT_RANGES, "bytes".to_owned()),
        (header::CACHE_CONTROL, "private, max-age=86400".to_owned()),
        (header::ETAG, format!("\"{:x}\"", file.id)),
    ];
    let total = file.size_bytes;
    match range::wanted(asked, total) {
        Wanted::Whole => (common, media::read(file, 0..total)).into_response(),
        Wanted::Part(part) => {
            let content_range = format!("bytes {}-{}/{total}", part.start, part.end - 1);
            (
                StatusCode::PARTIAL_CONTENT,
                common,
                [(header::CONTENT_RANGE, content_range)],
                media::read(file, part),
            )
                .into_response()
        }
        Wanted::Impossible => (
            StatusCode::RANGE_NOT_SATISFIABLE,
            [(header::CONTENT_RANGE, format!("bytes */{total}"))],
        )
            .into_response(),
    }
}
