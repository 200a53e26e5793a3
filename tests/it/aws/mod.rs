//! The calls to AWS services, compared with those of botocore.
//!
//! `.ci/aws.py vectors` writes the file compared with. `.ci/run aws` writes it again, and also
//! runs a function against a server of moto.

use std::collections::BTreeMap;

use aws_credential_types::Credentials;
use serde::Deserialize;
use shared::aws::{Call, Service, endpoint};
use shared::clock::Clock;
use shared::config::AwsConfig;
use shared::secrets::Ssm;
use shared::waker::{BY_ENQUEUE, LambdaWake};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vectors {
    access_key_id: String,
    secret_access_key: String,
    cases: Vec<Case>,
    /// Of SSM, by region.
    endpoints: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    region: String,
    function: String,
    names: Vec<String>,
    now_ms: i64,
    session: Option<String>,
    invoke: Request,
    read: Request,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Request {
    url: String,
    headers: BTreeMap<String, String>,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../../fixtures/aws-signatures.json")).unwrap()
}

#[tokio::test]
async fn requests_are_signed_as_botocore_signs_them() {
    let vectors = vectors();
    assert!(!vectors.cases.is_empty());
    for case in &vectors.cases {
        let signed = async |service, call: Call| {
            let config = AwsConfig {
                region: Some(case.region.clone()),
                endpoint_url: None,
            };
            let session = case.session.clone();
            let (id, secret) = (&vectors.access_key_id, &vectors.secret_access_key);
            let credentials = Credentials::new(id, secret, session, None, "test");
            let clock = Clock::manual(case.now_ms);
            let service = Service::new(service, config, credentials, clock);
            let signed = service.sign(&call).await.unwrap();
            let own = |name: &str| call.headers.iter().any(|(known, _)| *known == name);
            let headers = signed.headers.into_iter();
            Request {
                url: signed.url,
                headers: headers.filter(|(name, _)| !own(name)).collect(),
            }
        };
        let invoke = LambdaWake::call(&case.function, BY_ENQUEUE);
        assert_eq!(signed("lambda", invoke).await, case.invoke);
        assert_eq!(signed("ssm", Ssm::call(&case.names)).await, case.read);
    }
}

#[test]
fn every_region_has_the_address_botocore_gives_it() {
    let endpoints = vectors().endpoints;
    assert!(endpoints.len() > 40);
    for (region, url) in endpoints {
        assert_eq!(endpoint("ssm", &region), url);
    }
}

#[tokio::test]
async fn a_call_without_a_region_is_not_sent() {
    let config = AwsConfig {
        region: None,
        endpoint_url: None,
    };
    let credentials = Credentials::new("id", "secret", None, None, "test");
    let service = Service::new("ssm", config, credentials, Clock::system());
    let refused = service.send(Ssm::call(&[])).await.unwrap_err();
    assert_eq!(refused.to_string(), "AWS_REGION is not set");
}
