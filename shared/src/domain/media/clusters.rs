//! The end of a WebM or Matroska file that does not say how long it is: the time of the
//! last block in its last cluster.

use super::elements::{CLUSTER, Elements};
use super::facts::Problem;
use super::view::Stop;

/// How much of the end of the file is searched, in steps, until it contains a cluster.
const TAILS: [u64; 3] = [64 * 1024, 256 * 1024, 768 * 1024];

const TIMESTAMP: u32 = 0xe7;
const SIMPLE_BLOCK: u32 = 0xa3;
const BLOCK_GROUP: u32 = 0xa0;
const BLOCK: u32 = 0xa1;

/// How long a block of a track is shown, in ticks.
type Shown<'a> = &'a dyn Fn(u64) -> u64;

/// When the last block ends, in ticks. `None` if no cluster is found.
pub(super) fn last_ticks(
    elements: &mut Elements<'_>,
    start: u64,
    shown: Shown<'_>,
) -> Result<Option<u64>, Stop> {
    let total = elements.view.total();
    let mut known = total;
    for n_bytes in TAILS {
        let from = total.saturating_sub(n_bytes).max(start);
        if from >= known {
            break;
        }
        // The steps are read apart, so that each costs only what it adds.
        elements.view.bytes(from, (known - from) as usize)?;
        known = from;
        let bytes = elements.view.bytes(from, (total - from) as usize)?;
        let words = bytes.windows(4).enumerate().rev();
        let clusters = words.filter(|(_, word)| *word == CLUSTER.to_be_bytes());
        // Media data may contain the word by chance.
        for (place, _) in clusters.take(16) {
            if let Ok(Some(ticks)) = cluster_end(elements, from + place as u64, shown) {
                return Ok(Some(ticks));
            }
        }
    }
    Ok(None)
}

/// When the last block of the cluster at `at` ends, or `None` if it is not a cluster.
fn cluster_end(
    elements: &mut Elements<'_>,
    at: u64,
    shown: Shown<'_>,
) -> Result<Option<u64>, Stop> {
    let total = elements.view.total();
    let cluster = elements.read(at)?;
    let first = elements.read(cluster.start)?;
    if cluster.id != CLUSTER || first.id != TIMESTAMP {
        return Ok(None);
    }
    let begin = elements.number(first)?;
    let mut last = begin;
    let mut at = first.end.ok_or(Problem::Damaged)?;
    let end = cluster.end.unwrap_or(total).min(total);
    while at < end {
        // The last element may be cut off. What comes before it still counts.
        let Ok(Some((next, block))) = block(elements, at) else {
            break;
        };
        if let Some((track, after)) = block {
            let starts = begin.saturating_add_signed(after);
            last = last.max(starts.saturating_add(shown(track)));
        }
        at = next;
    }
    Ok(Some(last))
}

/// A block's track, and its time after its cluster's.
type Block = (u64, i64);

/// Where the element at `at` ends, and the block that it is or contains. `None` if another
/// cluster begins here, or the element does not say where it ends.
fn block(elements: &mut Elements<'_>, at: u64) -> Result<Option<(u64, Option<Block>)>, Stop> {
    let mut element = elements.read(at)?;
    let Some(next) = element.end.filter(|_| element.id != CLUSTER) else {
        return Ok(None);
    };
    if element.id == BLOCK_GROUP {
        element = elements.read(element.start)?;
    }
    if element.id != SIMPLE_BLOCK && element.id != BLOCK {
        return Ok(Some((next, None)));
    }
    let head = elements.view.bytes(element.start, 3)?;
    let time = i64::from(i16::from_be_bytes([head[1], head[2]]));
    // Tracks from 128 on take more bytes. Nobody has so many.
    let track = u64::from(head[0] & 0x7f);
    let is_short = head[0] & 0x80 != 0;
    Ok(Some((next, is_short.then_some((track, time)))))
}
