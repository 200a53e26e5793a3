//! Reads the parts of a file that a walk asks for.

use std::ops::Range;
use std::time::Duration;

use reqwest::header::{
    ACCEPT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, HeaderMap, HeaderName, HeaderValue, RANGE,
};

use super::error::ProbeError;
use crate::base::http_client::ClientError;
use crate::media::{Facts, Limits, Next, Walk};
use crate::outbound::{Hosts, Outbound, Outgoing, Within};

/// Looks inside files on a server.
#[derive(Clone)]
pub struct Prober {
    outbound: Outbound,
    time: Duration,
}

/// A file while it is read.
struct File<'a> {
    url: &'a str,
    /// Its size, as Discord or its server says.
    size: Option<u64>,
}

impl Prober {
    /// A prober for files on these hosts, which takes at most `time` for each.
    ///
    /// # Errors
    /// TLS is not available.
    pub fn new(hosts: Hosts, time: Duration) -> Result<Prober, ClientError> {
        let outbound = Outbound::new(hosts)?;
        Ok(Prober { outbound, time })
    }

    /// What the file at `url` holds. `size` is the size that Discord declares.
    ///
    /// # Errors
    /// See [`ProbeError`].
    pub async fn probe(&self, url: &str, size: Option<u64>) -> Result<Facts, ProbeError> {
        let walk = self.walk(File { url, size });
        match tokio::time::timeout(self.time, walk).await {
            Ok(result) => result,
            Err(_) => Err(ProbeError::TooSlow),
        }
    }

    async fn walk(&self, mut file: File<'_>) -> Result<Facts, ProbeError> {
        let mut walk = Walk::new(Limits::default());
        loop {
            match walk.next() {
                Next::Read(range) => self.read(&mut file, &mut walk, range).await?,
                Next::Done(facts) => return Ok(facts),
                Next::Failed(problem) => return Err(problem.into()),
            }
        }
    }

    async fn read(
        &self,
        file: &mut File<'_>,
        walk: &mut Walk,
        range: Range<u64>,
    ) -> Result<(), ProbeError> {
        let bytes = format!("bytes={}-{}", range.start, range.end - 1);
        let request = Outgoing::get(file.url)
            .header(RANGE, header(&bytes)?)
            .header(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let within = Within {
            time: self.time,
            // More than the range, in case the server ignores it and sends the whole file.
            bytes: usize::try_from(walk.bytes_left()).unwrap_or(usize::MAX),
        };
        let answer = self.outbound.send(request, within).await?;
        match answer.status {
            206 => {
                let (start, total) = content_range(&answer.headers)?;
                if start != range.start {
                    return Err(ProbeError::BadAnswer);
                }
                file.is_as_long_as(total)?;
                let n_asked = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
                let part = &answer.body[..answer.body.len().min(n_asked)];
                if part.is_empty() {
                    return Err(ProbeError::BadAnswer);
                }
                walk.give(start, part, total);
                Ok(())
            }
            200 => {
                let declared = number(&answer.headers, CONTENT_LENGTH);
                let read = answer.body.len() as u64;
                let total = match (declared, answer.is_cut) {
                    (Some(declared), _) => declared,
                    (None, false) => read,
                    // Longer than what was read, by an unknown number of bytes.
                    (None, true) => file.size.unwrap_or(0).max(read + 1),
                };
                file.is_as_long_as(total)?;
                walk.give(0, &answer.body, total);
                walk.close();
                Ok(())
            }
            300..=399 => Err(ProbeError::Redirected),
            403 | 404 | 410 => Err(ProbeError::Expired),
            416 => Err(ProbeError::Changed),
            429 | 500.. => Err(ProbeError::Unavailable),
            _ => Err(ProbeError::BadAnswer),
        }
    }
}

impl File<'_> {
    /// Compares the size that the server claims with what is known, and remembers it.
    fn is_as_long_as(&mut self, total: u64) -> Result<(), ProbeError> {
        match self.size {
            Some(size) if size != total => Err(ProbeError::Changed),
            _ => {
                self.size = Some(total);
                Ok(())
            }
        }
    }
}

fn header(text: &str) -> Result<HeaderValue, ProbeError> {
    HeaderValue::from_str(text).map_err(|_| ProbeError::BadAnswer)
}

fn number(headers: &HeaderMap, name: HeaderName) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

/// The start and the total in `bytes 0-99/1000`.
fn content_range(headers: &HeaderMap) -> Result<(u64, u64), ProbeError> {
    let read = || {
        let text = headers.get(CONTENT_RANGE)?.to_str().ok()?;
        let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
        let (start, _) = range.split_once('-')?;
        Some((start.trim().parse().ok()?, total.trim().parse().ok()?))
    };
    read().ok_or(ProbeError::BadAnswer)
}
