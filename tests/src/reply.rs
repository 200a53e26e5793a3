//! A reply of a route.

use serde_json::Value;

/// Status, headers and JSON body of a reply.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    /// `null` if the body is not JSON.
    pub json: Value,
    /// The body, if it is not JSON.
    pub body: String,
}

impl Reply {
    pub(crate) async fn read(response: reqwest::Response) -> Reply {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let text = response.text().await.unwrap();
        let kind = headers.get("content-type");
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let is_text = ["text/", "application/jsonl"]
            .iter()
            .any(|of| kind.starts_with(of));
        let json = match text.is_empty() || is_text {
            true => Value::Null,
            false => serde_json::from_str(&text).unwrap(),
        };
        Reply {
            status,
            headers,
            json,
            body: if is_text { text } else { String::new() },
        }
    }

    /// The text of a field of the body.
    pub fn text(&self, pointer: &str) -> &str {
        let value = self.json.pointer(pointer);
        value
            .and_then(Value::as_str)
            .unwrap_or_else(|| panic!("no text at {pointer}: {}", self.json))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}
