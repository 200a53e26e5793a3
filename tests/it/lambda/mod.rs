//! The functions as Lambda runs them, each as a process.

mod events;
mod freeze;
mod lines;
mod start;

use integration::lambda::Process;
use serde_json::{Value, json};
use tokio::process::Command;

/// Starts the function `name`. With `FUNCTIONS_DIR`, uses the build at `NAME/bootstrap`
/// in that folder, as created by `cargo lambda build --lambda-dir`.
async fn function(name: &str, environment: &[(&str, String)]) -> Process {
    let command = match std::env::var_os("FUNCTIONS_DIR") {
        Some(folder) => {
            let path = std::path::Path::new(&folder).join(name).join("bootstrap");
            Command::new(path)
        }
        None => {
            let mut command = Command::new(env!("CARGO_BIN_EXE_function"));
            command.arg(name);
            command
        }
    };
    Process::start(command, name, environment).await
}

/// The API key of callers of a [`plain_function`].
const KEY: &str = "the-api-key-0123456789";

/// Starts the function `name` on this endpoint, with its secrets in the environment.
async fn plain_function(name: &str, endpoint: &upstash_local::Server) -> Process {
    let mut environment = database(endpoint);
    let more = [
        ("UPSTASH_REDIS_REST_TOKEN", endpoint.token()),
        ("TRAWL_API_KEY", KEY),
        ("TRAWL_ADMIN_KEY", "the-admin-key-0123456789"),
        ("DISCORD_TOKEN", "a-bot"),
        ("DRAIN_LINGER_MS", "0"),
    ];
    environment.extend(more.map(|(name, value)| (name, value.to_owned())));
    function(name, &environment).await
}

/// The settings for every function that uses this endpoint.
fn database(endpoint: &upstash_local::Server) -> Vec<(&'static str, String)> {
    vec![
        ("REDIS_PROVIDER", "local".to_owned()),
        ("UPSTASH_REDIS_REST_URL", endpoint.url()),
    ]
}

/// A request as an API Gateway event.
fn request(method: &str, path: &str, key: &str, body: &str) -> Value {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": query,
        "headers": { "authorization": format!("Bearer {key}"), "content-type": "application/json" },
        "body": body, "isBase64Encoded": false,
        "requestContext": { "http": { "method": method, "path": path, "protocol": "HTTP/1.1",
            "sourceIp": "1.2.3.4", "userAgent": "" }, "stage": "$default", "timeEpoch": 0 },
    })
}
