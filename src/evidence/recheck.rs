//! The rule that no refusal rests on an answer that was cached by an earlier run.
//!
//! An index may have signed a file, or replaced a document, since the answer was cached. So before
//! a refusal, all data about its subject is fetched again, past all caches. A verdict in favour of
//! a file needs no second look: its attestation was verified in this run. Must not judge.

use crate::evidence::finding::Finding;
use crate::failure::Failure;
use crate::index::Index;
use crate::trust::policy::{Reason, UnsignedKind, Verdict};

/// Returns the findings about `subjects`, in their order, of which no refusal rests on a cached
/// answer. `findings` are those that `index` gave for each subject.
///
/// If `index` has used a cached answer, or a document is not there to which its page links, the
/// subjects with a refusal are passed to `again`, with an index that ignores cached answers, and
/// the findings that it returns for them replace the first ones.
///
/// # Errors
/// The errors of `again`: evidence could not be obtained.
pub fn refusals_without_cache<S: Copy>(
    index: &Index<'_>,
    subjects: &[S],
    mut findings: Vec<Vec<Finding>>,
    again: impl FnOnce(&Index<'_>, &[S]) -> Result<Vec<Vec<Finding>>, Failure>,
) -> Result<Vec<Vec<Finding>>, Failure> {
    let used = index.has_used_cached_answer();
    let is_doubtful = |it: &Finding| it.is_refused() && (used || is_not_there_yet(&it.verdict));
    let is_refused = |of_subject: &[Finding]| of_subject.iter().any(is_doubtful);
    let (doubtful, places): (Vec<S>, Vec<_>) = subjects
        .iter()
        .copied()
        .zip(findings.iter_mut())
        .filter(|(_, of_subject)| is_refused(of_subject))
        .unzip();
    if !doubtful.is_empty() {
        let anew = again(&index.bypassing_cache(), &doubtful)?;
        places.into_iter().zip(anew).for_each(|(place, of_subject)| *place = of_subject);
    }
    Ok(findings)
}

/// Returns whether the index links to a document that it did not have. A cache between may have
/// kept the answer from before the document was there.
const fn is_not_there_yet(verdict: &Verdict) -> bool {
    matches!(
        verdict,
        Verdict::Fail(
            Reason::SignatureExpected { kind: UnsignedKind::NotThereYet, .. }
                | Reason::UnsignedUnderStrict { kind: UnsignedKind::NotThereYet }
        )
    )
}
