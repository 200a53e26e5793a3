//! Files on a server: the limits of a probe, and servers that misbehave.

use std::time::Duration;

use discord_local::{Action, AttachmentSpec, Fault, Guild, MessageSpec, Options, Server};
use serde_json::Value;
use shared::media::{Facts, Problem};
use shared::outbound::Hosts;
use shared::probe::{ProbeError, Prober};

use super::fixture;

const CHANNEL: u64 = 1_200_000_000_000_000_002;

/// A sample server with one file.
struct Site {
    server: Server,
    url: String,
    size: u64,
}

impl Site {
    async fn with(video: AttachmentSpec) -> Site {
        let mut guild = Guild::empty(1_200_000_000_000_000_000);
        guild.add_text_channel(CHANNEL, "clips");
        guild.add_message(CHANNEL, MessageSpec::default().attachment(video));
        let options = Options {
            guild,
            ..Options::default()
        };
        let server = Server::start(options).await.unwrap();
        let page = format!("{}/channels/{CHANNEL}/messages", server.url());
        let request = shared::http_client().unwrap().get(page);
        let request = request.header("user-agent", "DiscordBot (https://trawl.example, 1.0)");
        let answer = request
            .header("authorization", "Bot sample-bot-token")
            .send();
        let page: Value = answer.await.unwrap().json().await.unwrap();
        let attachment = &page[0]["attachments"][0];
        server.clear_requests();
        Site {
            url: attachment["url"].as_str().unwrap().to_owned(),
            size: attachment["size"].as_u64().unwrap(),
            server,
        }
    }

    async fn with_fault(action: Action) -> Site {
        let site = Site::with(AttachmentSpec::video("goal.mp4")).await;
        site.server
            .faults()
            .add(Fault::always(action).on("/attachments/"));
        site
    }

    async fn probe(&self) -> Result<Facts, ProbeError> {
        prober("127.0.0.1").probe(&self.url, Some(self.size)).await
    }

    fn n_requests(&self) -> usize {
        self.server.requests().len()
    }
}

fn prober(hosts: &str) -> Prober {
    Prober::new(Hosts::listed(hosts).unwrap(), Duration::from_secs(30)).unwrap()
}

#[tokio::test]
async fn a_file_is_read_by_ranges() {
    let video = || AttachmentSpec::video("goal.mp4").duration(Duration::from_millis(12_345));
    for (video, n_requests) in [(video(), 1), (video().moov_at_end(), 2)] {
        let site = Site::with(video.size_bytes(50_000_000)).await;
        let facts = site.probe().await.unwrap();
        assert_eq!((facts.duration, facts.width), (Some(12.345), Some(1280)));
        assert_eq!(site.n_requests(), n_requests);
    }
}

#[tokio::test]
async fn ten_gigabytes_cost_one_request() {
    let site = Site::with(AttachmentSpec::video("goal.webm").size_bytes(10_000_000_000)).await;
    assert_eq!(site.probe().await.unwrap().duration, Some(12.0));
    assert_eq!(site.n_requests(), 1);
}

#[tokio::test]
async fn a_server_that_ignores_ranges_is_cut_off() {
    let site = Site::with(AttachmentSpec::video("goal.mp4").size_bytes(4_000_000_000)).await;
    site.server.faults().add(Fault::always(Action::IgnoreRange));
    assert_eq!(site.probe().await.unwrap().duration, Some(12.0));
    assert_eq!(site.n_requests(), 1);
    // What lies behind the first mebibyte cannot be read there.
    let video = AttachmentSpec::video("goal.mp4").moov_at_end();
    let site = Site::with(video.size_bytes(40_000_000)).await;
    site.server.faults().add(Fault::always(Action::IgnoreRange));
    assert_eq!(site.probe().await, Err(Problem::TooLarge.into()));
    assert_eq!(site.n_requests(), 1);
    // A small file is there as a whole.
    let video = AttachmentSpec::video("goal.mp4").moov_at_end();
    let site = Site::with(video.size_bytes(900_000)).await;
    site.server.faults().add(Fault::always(Action::IgnoreRange));
    assert_eq!(site.probe().await.unwrap().duration, Some(12.0));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Site::with(AttachmentSpec::video("goal.mp4")).await;
    let site = Site::with_fault(Action::Redirect(elsewhere.url.clone())).await;
    assert_eq!(site.probe().await, Err(ProbeError::Redirected));
    assert_eq!(elsewhere.n_requests(), 0);
}

#[tokio::test]
async fn a_stalled_answer_ends_with_the_time() {
    let site = Site::with_fault(Action::Stall).await;
    let hosts = Hosts::listed("127.0.0.1").unwrap();
    let prober = Prober::new(hosts, Duration::from_millis(200)).unwrap();
    let result = prober.probe(&site.url, Some(site.size)).await;
    assert_eq!(result, Err(ProbeError::TooSlow));
}

#[tokio::test]
async fn a_broken_connection_or_a_fault_of_the_server_may_pass() {
    for action in [
        Action::CutBody,
        Action::DropConnection,
        Action::Status(503),
        Action::Status(429),
    ] {
        let site = Site::with_fault(action.clone()).await;
        assert_eq!(
            site.probe().await,
            Err(ProbeError::Unavailable),
            "{action:?}"
        );
    }
}

#[tokio::test]
async fn a_file_of_another_size_is_not_the_one_that_was_uploaded() {
    let site = Site::with_fault(Action::WrongTotal(77)).await;
    assert_eq!(site.probe().await, Err(ProbeError::Changed));
    let site = Site::with_fault(Action::Status(416)).await;
    assert_eq!(site.probe().await, Err(ProbeError::Changed));
    // A component does not say how large its file is. What the server says must stay.
    let video = AttachmentSpec::video("goal.mp4").moov_at_end();
    let site = Site::with(video.size_bytes(5_000_000)).await;
    site.server
        .faults()
        .add(Fault::once(Action::WrongTotal(5_000_001)));
    let result = prober("127.0.0.1").probe(&site.url, None).await;
    assert_eq!(result, Err(ProbeError::Changed));
}

#[tokio::test]
async fn an_address_that_is_not_valid_any_more_has_expired() {
    let site = Site::with(AttachmentSpec::video("goal.mp4")).await;
    let unsigned = site.url.split('?').next().unwrap();
    let result = prober("127.0.0.1").probe(unsigned, None).await;
    assert_eq!(result, Err(ProbeError::Expired));
}

#[tokio::test]
async fn a_host_that_is_not_listed_is_not_asked() {
    let site = Site::with(AttachmentSpec::video("goal.mp4")).await;
    for hosts in ["cdn.discordapp.com", "localhost", "127.0.0.1:1"] {
        let result = prober(hosts).probe(&site.url, Some(site.size)).await;
        assert_eq!(result, Err(ProbeError::NotAllowed), "{hosts}");
    }
    assert_eq!(site.n_requests(), 0);
}

#[tokio::test]
async fn damaged_content_costs_a_file_its_facts_and_nothing_else() {
    for (content, problem) in [
        (&fixture("moov-at-end.mp4")[..9000], Problem::Incomplete),
        (b"RIFF\0\0\0\0AVI LIST", Problem::Unsupported),
        (b"GIF89a", Problem::Unsupported),
    ] {
        let site = Site::with(AttachmentSpec::video("goal.mp4").content(content)).await;
        assert_eq!(site.probe().await, Err(problem.into()));
    }
    let site = Site::with(AttachmentSpec::video("a.mp4").content(&fixture("rotated-90.mp4"))).await;
    let facts = site.probe().await.unwrap();
    assert_eq!(
        (facts.width, facts.height, facts.rotation),
        (Some(36), Some(64), Some(90))
    );
}
