//! Runs the examples on the front page of `shared` unchanged.

use shared::config::Environment;

/// Runs an example with the settings of a new database.
///
/// # Panics
/// If the example fails.
pub fn example<F>(work: F)
where
    F: AsyncFnOnce(Environment<'static>) -> Result<(), Box<dyn std::error::Error>>,
{
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let options = upstash_local::Options::default();
        let endpoint = upstash_local::Server::start(options).await.unwrap();
        let (url, token) = (endpoint.url(), endpoint.token().to_owned());
        let environment = Environment::from(move |name| match name {
            "REDIS_PROVIDER" => Some("local".to_owned()),
            "UPSTASH_REDIS_REST_URL" => Some(url.clone()),
            "UPSTASH_REDIS_REST_TOKEN" => Some(token.clone()),
            _ => None,
        });
        work(environment).await.unwrap();
        endpoint.stop().await;
    });
}

#[cfg(doctest)]
#[doc = include_str!("../../shared/EXAMPLES.md")]
struct Examples;
