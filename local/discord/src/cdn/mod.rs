//! Serves uploaded files at signed URLs, with byte ranges.

mod range;

use std::{io, ops::Range};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};

use futures_util::{StreamExt as _, stream};

use crate::{faults::CdnPlan, file::File, media, signing, state::State};
use range::Wanted;

/// How much of a file is made at once. A whole file of gigabytes must not be in memory.
const CHUNK: u64 = 256 * 1024;

const GONE: &str = "This content is no longer available.";

/// Answers `/attachments/{channel}/{attachment}/{name}?ex=…&is=…&hm=…&`. Unknown,
/// deleted, expired and incorrectly signed URLs all return the same 404.
pub(crate) fn answer(
    state: &State,
    path: &str,
    query: &str,
    headers: &HeaderMap,
    plan: &CdnPlan,
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
        .filter(|_| !plan.ignores_range);
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
    let claimed = plan.total.unwrap_or(total);
    match range::wanted(asked, total) {
        Wanted::Whole => (common, body(file, 0..total, plan)).into_response(),
        Wanted::Part(part) => {
            let content_range = format!("bytes {}-{}/{claimed}", part.start, part.end - 1);
            (
                StatusCode::PARTIAL_CONTENT,
                common,
                [(header::CONTENT_RANGE, content_range)],
                body(file, part, plan),
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

/// The bytes of a range, as far as the plan lets them through.
fn body(file: &File, range: Range<u64>, plan: &CdnPlan) -> Body {
    let half = range.start + (range.end - range.start) / 2;
    let end = if plan.stalls || plan.cuts {
        half
    } else {
        range.end
    };
    let (file, begin) = (file.clone(), range.start);
    let places = stream::iter((begin..end).step_by(CHUNK as usize));
    let chunks = places.map(move |at| {
        let part = at..at.saturating_add(CHUNK).min(end);
        Ok::<_, io::Error>(Bytes::from(media::read(&file, part)))
    });
    if plan.stalls {
        return Body::from_stream(chunks.chain(stream::pending()));
    }
    if plan.cuts {
        let cut = stream::once(async { Err(io::ErrorKind::ConnectionAborted.into()) });
        return Body::from_stream(chunks.chain(cut));
    }
    Body::from_stream(chunks)
}
