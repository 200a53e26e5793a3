//! Requests from pages of other sites, which a local browser would send.

use serde_json::json;

use super::{Fixture, TOKEN, USER_AGENT};
use discord_local::Guild;

fn guild() -> Guild {
    let mut guild = Guild::empty(1);
    guild.add_text_channel(2, "clips");
    guild
}

#[tokio::test]
async fn a_page_of_another_site_is_refused_and_leaves_no_trace() {
    let fixture = Fixture::start(guild()).await;
    let base = fixture.server.cdn_url();
    let fault = json!({ "action": { "status": 503 } });
    for (name, value) in [
        ("host", "evil.example"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
    ] {
        for request in [
            fixture
                .client
                .get(format!("{base}/api/v10/channels/2/messages")),
            fixture.client.get(format!("{base}/attachments/1/2/a.mp4")),
            fixture.client.get(format!("{base}/control/requests")),
            fixture
                .client
                .post(format!("{base}/control/faults"))
                .json(&fault),
        ] {
            let request = request
                .header("user-agent", USER_AGENT)
                .header("authorization", format!("Bot {TOKEN}"));
            let refused = request.header(name, value).send().await.unwrap();
            assert_eq!(refused.status(), 403, "{name}: {value}");
        }
    }
    assert_eq!(fixture.server.requests(), []);
    assert_eq!(fixture.server.faults().pending(), []);
}

#[tokio::test]
async fn an_html_form_cannot_use_the_control_api() {
    let fixture = Fixture::start(guild()).await;
    let faults = format!("{}/control/faults", fixture.server.cdn_url());
    let fault = json!({ "action": { "status": 503 } }).to_string();
    for kind in ["text/plain", "application/x-www-form-urlencoded"] {
        let request = fixture.client.post(&faults).header("content-type", kind);
        let refused = request.body(fault.clone()).send().await.unwrap();
        assert_eq!(refused.status(), 403, "{kind}");
    }
    assert_eq!(fixture.server.faults().pending(), []);
}
