//! The client.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};

use super::error::OutboundError;
use super::hosts::Hosts;
use super::resolver::Resolver;
use crate::base::http_client::{ClientError, builder};

/// Sends requests to the hosts that it may ask.
#[derive(Clone)]
pub struct Outbound {
    http: reqwest::Client,
    hosts: Arc<Hosts>,
}

/// A request.
#[derive(Clone, Debug)]
pub struct Outgoing {
    method: Method,
    url: String,
    headers: HeaderMap,
    body: Bytes,
}

/// The limits of one request.
#[derive(Clone, Copy, Debug)]
pub struct Within {
    /// The time until the answer is complete.
    pub time: Duration,
    /// How much of the answer's body is read. The connection is dropped at the first byte
    /// beyond it.
    pub bytes: usize,
}

/// An answer, whatever its status. A redirect is an answer too.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, up to the limit.
    pub body: Bytes,
    /// Whether the body was longer than the limit and is cut off.
    pub is_cut: bool,
}

impl Outgoing {
    /// A `GET` request.
    pub fn get(url: &str) -> Outgoing {
        Outgoing {
            method: Method::GET,
            url: url.to_owned(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
        }
    }

    /// A `POST` request.
    pub fn post(url: &str, body: impl Into<Bytes>) -> Outgoing {
        Outgoing {
            method: Method::POST,
            body: body.into(),
            ..Outgoing::get(url)
        }
    }

    /// Sets a header. A header of the same name is replaced.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Outgoing {
        self.headers.insert(name, value);
        self
    }
}

impl Outbound {
    /// A client that may ask these hosts.
    ///
    /// # Errors
    /// TLS is not available.
    pub fn new(hosts: Hosts) -> Result<Outbound, ClientError> {
        let hosts = Arc::new(hosts);
        let http = builder()
            // A proxy would resolve the name itself, out of our sight.
            .no_proxy()
            .dns_resolver(Resolver(hosts.clone()))
            .build()?;
        Ok(Outbound { http, hosts })
    }

    /// Reads an address that may be asked, as far as its text tells.
    ///
    /// # Errors
    /// The address is refused.
    pub fn check(&self, address: &str) -> Result<Url, OutboundError> {
        Ok(self.hosts.check(address)?)
    }

    /// Sends a request once and reads the answer up to the limit.
    ///
    /// # Errors
    /// The address is refused, or there is no complete answer in time.
    pub async fn send(&self, request: Outgoing, within: Within) -> Result<Answer, OutboundError> {
        let url = self.check(&request.url)?;
        let built = self
            .http
            .request(request.method, url)
            .headers(request.headers)
            .timeout(within.time)
            .body(request.body);
        let mut response = built.send().await.map_err(OutboundError::of)?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let (mut body, mut is_cut) = (Vec::new(), false);
        while !is_cut && let Some(chunk) = response.chunk().await.map_err(OutboundError::of)? {
            let room = within.bytes - body.len();
            is_cut = chunk.len() > room;
            body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        }
        Ok(Answer {
            status,
            headers,
            body: body.into(),
            is_cut,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;
    use crate::base::outbound::error::Refusal;

    const WITHIN: Within = Within {
        time: Duration::from_secs(5),
        bytes: 1000,
    };

    /// A server that answers each connection with `answer` and then keeps it open.
    async fn server(answer: &'static [u8]) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let mut open = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(answer).await;
                open.push(stream);
            }
        });
        address
    }

    /// Sends a request to this machine.
    async fn send(request: Outgoing, within: Within) -> Result<Answer, OutboundError> {
        let hosts = Hosts::listed("127.0.0.1, localhost").unwrap();
        Outbound::new(hosts).unwrap().send(request, within).await
    }

    #[tokio::test]
    async fn a_redirect_is_an_answer_and_is_not_followed() {
        let to = server(
            b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/secret\r\ncontent-length: 0\r\n\r\n",
        )
        .await;
        let answer = send(Outgoing::get(&format!("http://{to}/a")), WITHIN);
        assert_eq!(answer.await.unwrap().status, 302);
    }

    #[tokio::test]
    async fn an_answer_is_cut_off_at_the_limit() {
        let to = server(
            b"HTTP/1.1 200 OK\r\ncontent-length: 10000000000\r\n\r\n0123456789 and a lot more",
        )
        .await;
        let within = Within {
            bytes: 10,
            ..WITHIN
        };
        let answer = send(Outgoing::get(&format!("http://{to}/a")), within);
        let answer = answer.await.unwrap();
        assert_eq!(answer.body, "0123456789");
        assert!(answer.is_cut);
    }

    #[tokio::test]
    async fn a_server_that_stalls_costs_no_more_than_the_limit() {
        let to = server(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf").await;
        let within = Within {
            time: Duration::from_millis(50),
            ..WITHIN
        };
        let answer = send(Outgoing::get(&format!("http://{to}/a")), within);
        assert!(matches!(answer.await, Err(OutboundError::TimedOut)));
    }

    #[tokio::test]
    async fn an_answer_that_breaks_off_is_an_error() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let to = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf";
            let _ = stream.write_all(answer).await;
        });
        let answer = send(Outgoing::get(&format!("http://{to}/a")), WITHIN);
        assert!(matches!(answer.await, Err(OutboundError::Unreachable(_))));
    }

    #[tokio::test]
    async fn a_name_that_resolves_to_this_machine_is_refused() {
        let to = server(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        let address = format!("https://localhost:{}/a", to.port());
        let public = Outbound::new(Hosts::public()).unwrap();
        let answer = public.send(Outgoing::get(&address), WITHIN).await;
        assert!(
            matches!(answer, Err(OutboundError::Refused(Refusal::Address))),
            "{answer:?}"
        );
        // The same name, listed.
        let address = format!("http://localhost:{}/a", to.port());
        let answer = send(Outgoing::get(&address), WITHIN).await;
        assert_eq!(answer.unwrap().status, 200);
    }

    #[tokio::test]
    async fn a_refused_address_is_not_asked() {
        let refused = send(Outgoing::post("http://10.0.0.1/a", "x"), WITHIN);
        assert!(matches!(
            refused.await,
            Err(OutboundError::Refused(Refusal::Scheme))
        ));
    }
}
