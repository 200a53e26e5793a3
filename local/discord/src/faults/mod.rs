//! Faults on demand. Each fault waits for matching requests, lets some of them pass, and
//! then applies a number of times.
//!
//! If several faults would replace the same answer, the one added first applies and the
//! others wait. Faults that modify an answer are combined, and wait while another fault
//! replaces it.

mod action;

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};

pub(crate) use action::Target;
pub use action::{Action, Scope};

/// A pending fault.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    pub action: Action,
    /// Only requests whose path and query contain this text match. Without it, every API
    /// request matches, but no CDN request, except for actions that only the CDN has.
    #[serde(default)]
    pub path_contains: Option<String>,
    /// How many matching requests pass before the fault applies.
    #[serde(default)]
    pub skip: u32,
    /// How many times the fault applies. `u32::MAX` means for ever.
    #[serde(default = "one")]
    pub times: u32,
}

fn one() -> u32 {
    1
}

impl Fault {
    /// Applies to the next request.
    pub fn once(action: Action) -> Self {
        Self {
            action,
            path_contains: None,
            skip: 0,
            times: 1,
        }
    }

    /// Applies until the faults are cleared.
    pub fn always(action: Action) -> Self {
        Self::once(action).times(u32::MAX)
    }

    /// Limits the fault to requests whose path and query contain `part`.
    #[must_use]
    pub fn on(mut self, part: &str) -> Self {
        self.path_contains = Some(part.to_owned());
        self
    }

    /// Lets this many matching requests pass first.
    #[must_use]
    pub fn skip(mut self, skip: u32) -> Self {
        self.skip = skip;
        self
    }

    /// Applies the fault this many times.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    fn matches(&self, target: Target, path_and_query: &str) -> bool {
        let path_matches = match &self.path_contains {
            Some(part) => path_and_query.contains(part.as_str()),
            None => target != Target::Cdn || !self.action.concerns(Target::Other),
        };
        path_matches && self.action.concerns(target)
    }

    /// Counts a matching request. Returns true if the fault applies to it.
    fn strike(&mut self) -> bool {
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        if self.times != u32::MAX {
            self.times -= 1;
        }
        true
    }
}

/// The faults of a server.
#[derive(Debug, Default)]
pub struct Faults(Mutex<Vec<Fault>>);

impl Faults {
    pub fn add(&self, fault: Fault) {
        self.waiting().push(fault);
    }

    pub fn clear(&self) {
        self.waiting().clear();
    }

    /// Faults that have not applied as often as they should yet.
    pub fn pending(&self) -> Vec<Fault> {
        self.waiting().clone()
    }

    /// Counts this request and returns what happens to it.
    pub(crate) fn plan(&self, target: Target, path_and_query: &str) -> Plan {
        let mut plan = Plan::default();
        let mut faults = self.waiting();
        faults.retain(|fault| fault.times > 0);
        let mut matching: Vec<&mut Fault> = faults
            .iter_mut()
            .filter(|fault| fault.matches(target, path_and_query))
            .collect();

        for fault in &mut matching {
            let may_happen = fault.action.replaces_answer() && plan.replacement.is_none();
            if may_happen && fault.strike() {
                plan.replacement = Some(fault.action.clone());
            }
        }
        for fault in &mut matching {
            let is_delay = matches!(fault.action, Action::Delay(_));
            let may_happen = is_delay || plan.replacement.is_none();
            if !fault.action.replaces_answer() && may_happen && fault.strike() {
                plan.add(&fault.action);
            }
        }
        faults.retain(|fault| fault.times > 0);
        plan
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Fault>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What happens to one request.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) delay: Duration,
    pub(crate) replacement: Option<Action>,
    pub(crate) delete: Vec<u64>,
    pub(crate) breaks_message: bool,
    pub(crate) hides_content: bool,
    pub(crate) oldest_first: bool,
    pub(crate) truncates: bool,
    /// How the CDN answers.
    pub(crate) cdn: CdnPlan,
}

/// What happens to the answer of the CDN.
#[derive(Clone, Debug, Default)]
pub(crate) struct CdnPlan {
    pub(crate) ignores_range: bool,
    pub(crate) stalls: bool,
    pub(crate) cuts: bool,
    pub(crate) total: Option<u64>,
}

impl Plan {
    fn add(&mut self, action: &Action) {
        match action {
            Action::Delay(delay) => self.delay += *delay,
            Action::DeleteBetweenPages(ids) => self.delete.extend(ids),
            Action::BrokenMessage => self.breaks_message = true,
            Action::MissingContentIntent => self.hides_content = true,
            Action::OldestFirst => self.oldest_first = true,
            Action::TruncatedJson => self.truncates = true,
            Action::IgnoreRange => self.cdn.ignores_range = true,
            Action::Stall => self.cdn.stalls = true,
            Action::CutBody => self.cdn.cuts = true,
            Action::WrongTotal(total) => self.cdn.total = Some(*total),
            Action::RateLimited { .. }
            | Action::CloudflareBan
            | Action::BlockedJson
            | Action::Status(_)
            | Action::Refused { .. }
            | Action::HtmlBody(_)
            | Action::Unauthorized
            | Action::DropConnection
            | Action::Redirect(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replaced(faults: &Faults) -> Option<Action> {
        faults
            .plan(Target::Listing, "/messages?limit=1")
            .replacement
    }

    #[test]
    fn a_fault_passes_what_it_skips_and_ends_after_its_times() {
        let faults = Faults::default();
        faults.add(Fault::once(Action::Status(500)).skip(1).times(2));
        assert_eq!(replaced(&faults), None);
        assert_eq!(replaced(&faults), Some(Action::Status(500)));
        assert_eq!(replaced(&faults), Some(Action::Status(500)));
        assert_eq!(replaced(&faults), None);
        assert_eq!(faults.pending(), []);
    }

    #[test]
    fn a_change_waits_while_another_fault_takes_the_answers_place() {
        let faults = Faults::default();
        faults.add(Fault::once(Action::BrokenMessage));
        faults.add(Fault::once(Action::Status(500)));
        let first = faults.plan(Target::Listing, "/messages");
        assert!(first.replacement.is_some() && !first.breaks_message);
        assert!(faults.plan(Target::Listing, "/messages").breaks_message);
    }

    #[test]
    fn a_page_fault_is_not_used_up_by_other_routes() {
        let faults = Faults::default();
        faults.add(Fault::once(Action::OldestFirst));
        assert!(!faults.plan(Target::Other, "/guilds/1").oldest_first);
        assert!(faults.plan(Target::Listing, "/messages").oldest_first);
    }

    #[test]
    fn a_fault_survives_json() {
        for action in [
            Action::CloudflareBan,
            Action::Delay(Duration::from_millis(200)),
            Action::DeleteBetweenPages(vec![1_213_000_000_000_000_001]),
            Action::RateLimited {
                scope: Scope::Shared,
                retry_after_secs: 0.9,
            },
        ] {
            let fault = Fault::once(action).on("messages");
            let text = serde_json::to_string(&fault).unwrap();
            assert_eq!(serde_json::from_str::<Fault>(&text).unwrap(), fault);
        }
    }
}
