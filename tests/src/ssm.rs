//! A stand-in for SSM Parameter Store: `GetParameters` of the AWS JSON 1.1 protocol.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use dev::FunctionsConfig;
use serde_json::{Value, json};
use shared::clock::Clock;
use shared::config::{Environment, SecretsConfig};
use shared::secrets::{Secret, SecretCache};
use tokio::net::TcpListener;

/// How the stand-in behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mood {
    #[default]
    Answers,
    Away,
    Denies,
}

/// A store of parameters.
#[derive(Clone)]
pub struct Ssm {
    pub url: String,
    state: Arc<Mutex<Store>>,
}

#[derive(Default)]
struct Store {
    parameters: BTreeMap<String, String>,
    calls: Vec<Vec<String>>,
    mood: Mood,
}

impl Ssm {
    pub async fn start(parameters: &[(&str, &str)]) -> Ssm {
        let state = Arc::<Mutex<Store>>::default();
        let app = Router::new().fallback(answer).with_state(state.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        let ssm = Ssm { url, state };
        for (name, value) in parameters {
            ssm.put(name, value);
        }
        ssm
    }

    pub fn put(&self, name: &str, value: &str) {
        let mut store = self.state.lock().unwrap();
        store.parameters.insert(name.to_owned(), value.to_owned());
    }

    pub fn delete(&self, name: &str) {
        self.state.lock().unwrap().parameters.remove(name);
    }

    pub fn set_mood(&self, mood: Mood) {
        self.state.lock().unwrap().mood = mood;
    }

    /// The names that each call requested.
    pub fn calls(&self) -> Vec<Vec<String>> {
        self.state.lock().unwrap().calls.clone()
    }
}

/// The secrets in a store, with their settings and parameter names.
pub struct Parameters {
    pub ssm: Ssm,
    pub settings: Vec<(&'static str, &'static str)>,
}

impl Parameters {
    /// The settings with these secrets, read in the same way as by a starting function.
    pub(crate) async fn into_config(
        self,
        mut config: FunctionsConfig,
        clock: &Clock,
    ) -> FunctionsConfig {
        let environment = Environment::from(|name| {
            let setting = name.strip_suffix("_PARAMETER")?;
            let mut settings = self.settings.iter();
            let (_, parameter) = settings.find(|(name, _)| *name == setting)?;
            Some((*parameter).to_owned())
        });
        let secrets = SecretsConfig::read(&environment).unwrap();
        let ssm = shared::secrets::Ssm::at_endpoint(&self.ssm.url);
        let cache = SecretCache::start(secrets, Box::new(ssm), clock.clone())
            .await
            .unwrap();
        let take = |setting: &str, secret: &mut Secret| {
            if let Some(cached) = cache.secret(setting) {
                *secret = cached;
            }
        };
        take("UPSTASH_REDIS_REST_TOKEN", &mut config.redis.token);
        take("TRAWL_API_KEY", &mut config.auth.api_key);
        take("TRAWL_ADMIN_KEY", &mut config.auth.admin_key);
        take("DISCORD_TOKEN", &mut config.discord.token);
        config
    }
}

async fn answer(
    State(state): State<Arc<Mutex<Store>>>,
    headers: HeaderMap,
    body: String,
) -> Response {
    assert_eq!(headers["x-amz-target"], "AmazonSSM.GetParameters");
    assert_eq!(headers["content-type"], "application/x-amz-json-1.1");
    let signature = headers["authorization"].to_str().unwrap();
    assert!(signature.starts_with("AWS4-HMAC-SHA256 "), "{signature}");
    let request: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(request["WithDecryption"], true);
    let names: Vec<String> = serde_json::from_value(request["Names"].clone()).unwrap();
    assert!((1..=10).contains(&names.len()), "{names:?}");
    let mut store = state.lock().unwrap();
    store.calls.push(names.clone());
    let (status, body) = match store.mood {
        Mood::Answers => (StatusCode::OK, found(&store, &names)),
        Mood::Away => (
            StatusCode::INTERNAL_SERVER_ERROR,
            json!({ "__type": "InternalServerError", "message": "away" }),
        ),
        Mood::Denies => (
            StatusCode::BAD_REQUEST,
            json!({ "__type": "AccessDeniedException", "Message": "not authorized to perform: ssm:GetParameters" }),
        ),
    };
    let headers = [("content-type", "application/x-amz-json-1.1")];
    (status, headers, body.to_string()).into_response()
}

fn found(store: &Store, names: &[String]) -> Value {
    let (known, unknown): (Vec<&String>, Vec<&String>) = names
        .iter()
        .partition(|name| store.parameters.contains_key(*name));
    let parameters: Vec<Value> = known
        .into_iter()
        .map(|name| {
            let value = &store.parameters[name];
            let arn = format!("arn:aws:ssm:us-east-1:000000000000:parameter{name}");
            json!({ "Name": name, "Type": "SecureString", "Value": value, "Version": 1, "ARN": arn })
        })
        .collect();
    json!({ "Parameters": parameters, "InvalidParameters": unknown })
}
