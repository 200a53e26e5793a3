//! Removes the data that the checks stored.

use anyhow::ensure;
use shared::redis::Pipeline;
use shared::redis::commands::keys::{del, scan};

use super::subject::Subject;

/// SCAN count per page.
const PAGE: u32 = 1000;

/// Page limit, so that the cleanup of a very large database ends.
const PAGES: u32 = 5000;

/// Removes every key of this run, anywhere in the database.
pub async fn cleanup(subject: &Subject) -> anyhow::Result<String> {
    let pattern = format!("{}*", subject.prefix);
    let (mut cursor, mut removed) = ("0".to_owned(), 0_u64);
    for _ in 0..PAGES {
        let (next, keys) = scan(&cursor, &pattern, PAGE).send(&*subject.redis).await?;
        if !keys.is_empty() {
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            let mut pipeline = Pipeline::new();
            let gone = pipeline.add(del(&keys));
            removed += pipeline.send(&*subject.redis).await?.take(gone)?;
        }
        cursor = next;
        if cursor == "0" {
            return Ok(format!("{removed} keys removed"));
        }
    }
    ensure!(
        false,
        "the database has too many keys to search; delete {pattern} yourself"
    );
    Ok(String::new())
}
