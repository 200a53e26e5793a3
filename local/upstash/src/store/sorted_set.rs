//! Members with scores, looked up by member and iterated by score.

use std::collections::{BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;

/// A score that is never NaN. The order is numeric, so -0 and 0 are equal.
#[derive(Debug, Clone, Copy)]
struct Score(f64);

impl PartialEq for Score {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Score {}

impl PartialOrd for Score {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Score {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.0 + 0.0).total_cmp(&(other.0 + 0.0))
    }
}

type Member = Arc<[u8]>;

#[derive(Debug, Clone, Default)]
pub struct SortedSet {
    scores: HashMap<Member, f64>,
    order: BTreeSet<(Score, Member)>,
}

impl PartialEq for SortedSet {
    fn eq(&self, other: &Self) -> bool {
        self.order == other.order
    }
}

/// One end of a range by score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ScoreBound {
    Included(f64),
    Excluded(f64),
}

impl ScoreBound {
    /// Whether a score satisfies this as the lower end.
    pub fn admits_above(self, score: f64) -> bool {
        match self {
            Self::Included(bound) => score >= bound,
            Self::Excluded(bound) => score > bound,
        }
    }

    /// Whether a score satisfies this as the upper end.
    pub fn admits_below(self, score: f64) -> bool {
        match self {
            Self::Included(bound) => score <= bound,
            Self::Excluded(bound) => score < bound,
        }
    }

    fn value(self) -> f64 {
        match self {
            Self::Included(bound) | Self::Excluded(bound) => bound,
        }
    }
}

impl SortedSet {
    pub fn len(&self) -> usize {
        self.scores.len()
    }

    pub fn is_empty(&self) -> bool {
        self.scores.is_empty()
    }

    pub fn score(&self, member: &[u8]) -> Option<f64> {
        self.scores.get(member).copied()
    }

    /// Adds a member or changes its score. Returns the previous score.
    pub fn insert(&mut self, member: &[u8], score: f64) -> Option<f64> {
        let old = self
            .scores
            .get_key_value(member)
            .map(|(member, score)| (member.clone(), *score));
        match old {
            Some((member, old)) => {
                if old != score || old.is_sign_negative() != score.is_sign_negative() {
                    self.order.remove(&(Score(old), member.clone()));
                    self.order.insert((Score(score), member.clone()));
                    self.scores.insert(member, score);
                }
                Some(old)
            }
            None => {
                let member: Member = member.into();
                self.order.insert((Score(score), member.clone()));
                self.scores.insert(member, score);
                None
            }
        }
    }

    pub fn remove(&mut self, member: &[u8]) -> Option<f64> {
        let (member, score) = self.scores.remove_entry(member)?;
        self.order.remove(&(Score(score), member));
        Some(score)
    }

    /// Members by ascending score; equal scores by member.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&[u8], f64)> {
        self.order
            .iter()
            .map(|(score, member)| (&**member, score.0))
    }

    /// The number of members before this one.
    pub fn rank(&self, member: &[u8]) -> Option<usize> {
        let (member, score) = self.scores.get_key_value(member)?;
        Some(self.order.range(..(Score(*score), member.clone())).count())
    }

    /// Members between two scores, ascending. Empty if the ends cross.
    pub fn by_score(
        &self,
        low: ScoreBound,
        high: ScoreBound,
    ) -> impl DoubleEndedIterator<Item = (&[u8], f64)> {
        let lowest = (Score(low.value()), Member::from(&[][..]));
        let crossed = low.value() > high.value();
        let to = match crossed {
            true => Bound::Excluded(lowest.clone()),
            false => upper(high),
        };
        self.order
            .range((Bound::Included(lowest), to))
            .map(|(score, member)| (&**member, score.0))
            .filter(move |(_, score)| low.admits_above(*score) && high.admits_below(*score))
    }

    /// Members from a name on, for a set whose scores are all equal.
    pub fn iter_from_member(&self, from: &[u8]) -> impl Iterator<Item = (&[u8], f64)> {
        let score = self.order.first().map_or(0.0, |(score, _)| score.0);
        self.order
            .range((Score(score), Member::from(from))..)
            .map(|(score, member)| (&**member, score.0))
    }
}

/// The end of a range that includes every member with the bound's score.
fn upper(high: ScoreBound) -> Bound<(Score, Member)> {
    let empty: Member = Member::from(&[][..]);
    match high {
        ScoreBound::Excluded(bound) => Bound::Excluded((Score(bound), empty)),
        ScoreBound::Included(f64::INFINITY) => Bound::Unbounded,
        ScoreBound::Included(bound) => Bound::Excluded((Score(next_up(bound)), empty)),
    }
}

/// The next larger float. `f64::next_up` treats -0 and 0 as different; this order does
/// not.
fn next_up(value: f64) -> f64 {
    if value == 0.0 {
        f64::from_bits(1)
    } else {
        value.next_up()
    }
}
