//! The publisher to whom the files of one project are bound in a run.
//!
//! Owns the rule that all files of a project have one publisher, as a state machine:
//!
//! - `Pinned`: a trust file has a pin. The state never changes.
//! - `Open`: the project has no publisher yet. The first file that trust on first use accepts
//!   changes the state to `First`.
//! - `First`: a publisher was accepted in this run, and is not in a trust file yet. The state never
//!   changes: the other files must be of this publisher, since the next run has its pin.
//!
//! Pure. The verdict of one file is that of [`policy::judge`].

use crate::attestation::publisher::Publisher;
use crate::trust::pin::Pin;
use crate::trust::policy::{self, Evidence, Policy, Reason, Verdict};

/// The publisher to whom the files of one project are bound in a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    state: State,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Pinned(Pin),
    Open,
    First(Publisher),
}

impl Binding {
    /// Returns the binding of a project with this pin in the trust files, or without a pin.
    #[must_use]
    pub fn new(pin: Option<&Pin>) -> Self {
        Self { state: pin.map_or(State::Open, |pin| State::Pinned(pin.clone())) }
    }

    /// Returns the binding of a project without a pin to whose publisher the user has just agreed.
    #[must_use]
    pub const fn first(publisher: Publisher) -> Self {
        Self { state: State::First(publisher) }
    }

    /// Judges the next file of the project. For files that arrive one after the other: a file that
    /// was judged before the first publisher was accepted keeps its verdict.
    pub fn judge(&mut self, evidence: &Evidence, policy: &Policy) -> Verdict {
        self.accept(evidence, policy);
        self.verdict(evidence, policy)
    }

    /// Judges all files of the project at once, and returns the verdicts in the given order. The
    /// publisher that is accepted first also binds the files in front of that file.
    #[must_use]
    pub fn judge_all(mut self, files: &[Evidence], policy: &Policy) -> Vec<Verdict> {
        files.iter().for_each(|evidence| self.accept(evidence, policy));
        files.iter().map(|evidence| self.verdict(evidence, policy)).collect()
    }

    /// Changes the state from `Open` to `First` if trust on first use accepts the file's publisher.
    fn accept(&mut self, evidence: &Evidence, policy: &Policy) {
        if let State::Open = self.state
            && let Verdict::Record { publisher } = policy::judge(None, evidence, policy)
        {
            self.state = State::First(publisher);
        }
    }

    /// Returns the verdict on a file in the present state.
    fn verdict(&self, evidence: &Evidence, policy: &Policy) -> Verdict {
        let first = match &self.state {
            State::Pinned(pin) => return policy::judge(Some(pin), evidence, policy),
            State::Open => return policy::judge(None, evidence, policy),
            State::First(first) => first,
        };
        match policy::judge(Some(&Pin::to(first.url().clone())), evidence, policy) {
            // The publisher is not in a trust file yet.
            Verdict::Ok { publisher } => Verdict::Record { publisher },
            // The user bound the project to no publisher, so none of the two is the changed one.
            Verdict::Fail(Reason::ChangedPublisher { .. }) => {
                let others = policy::publishers(evidence).into_iter().cloned();
                let found = std::iter::once(first.clone()).chain(others).collect();
                Verdict::Fail(Reason::Ambiguous { found })
            }
            verdict => verdict,
        }
    }
}
