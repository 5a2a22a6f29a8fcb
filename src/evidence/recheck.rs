//! The rule that no refusal rests on an answer that was cached by an earlier run.
//!
//! An index may have signed a file, or replaced a document, since the answer was cached. So before
//! a refusal, all data about its subject is fetched again, past all caches. A verdict in favour of
//! a file needs no second look: its attestation was verified in this run. Must not judge.

use crate::evidence::finding::Finding;
use crate::failure::Failure;
use crate::index::Index;

/// Returns the findings about `subjects`, in their order, of which no refusal rests on a cached
/// answer. `findings` are those that `index` gave for each subject.
///
/// If `index` has used a cached answer, the subjects with a refusal are passed to `again`, with an
/// index that ignores cached answers, and the findings that it returns for them replace the first
/// ones.
///
/// # Errors
/// The errors of `again`: evidence could not be obtained.
pub fn refusals_without_cache<S: Copy>(
    index: &Index<'_>,
    subjects: &[S],
    mut findings: Vec<Vec<Finding>>,
    again: impl FnOnce(&Index<'_>, &[S]) -> Result<Vec<Vec<Finding>>, Failure>,
) -> Result<Vec<Vec<Finding>>, Failure> {
    if !index.has_used_cached_answer() {
        return Ok(findings);
    }
    let is_refused = |of_subject: &[Finding]| of_subject.iter().any(Finding::is_refused);
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
