//! What a build was refused, and whom the user agreed to then.
//!
//! Owns which of the judge's findings are about what pip really asked for. Judges nothing.

use std::collections::BTreeMap;

use crate::evidence::audit::Finding;
use crate::evidence::judge::Judge;
use crate::gateway::Gateway;
use crate::package::lock::Lock;
use crate::package::name::PackageName;
use crate::trust::pin::Pin;
use crate::trust::policy::Verdict;

/// Whom the person at the terminal trusts from this run on.
pub(super) type Agreed = BTreeMap<PackageName, Pin>;

/// Whom the user agreed to.
pub(super) fn recorded(findings: &[Finding]) -> Agreed {
    let agreed = findings.iter().filter_map(|finding| match &finding.verdict {
        Verdict::Record { publisher } => {
            Some((finding.name.clone(), Pin::to(publisher.url().clone())))
        }
        _ => None,
    });
    agreed.collect()
}

/// The findings that are refusals of what pip asked for. A file of the user's own directories that
/// nobody needs may be as it is.
pub(super) fn refused(gateway: &Gateway, judge: &Judge, resolved: Option<&Lock>) -> Vec<Finding> {
    let (asked, refusals) = (gateway.asked(), gateway.refusals());
    let was_asked = |finding: &Finding| {
        let file = finding.file.as_ref().map(|file| file.filename.as_str());
        refusals.iter().any(|refusal| Some(refusal.filename.as_str()) == file)
    };
    let may_matter = |finding: &Finding| match resolved {
        Some(lock) => {
            asked.contains(&finding.name)
                || lock.entries.iter().any(|entry| entry.name == finding.name)
        }
        None => asked.contains(&finding.name) || gateway.index_urls().is_empty(),
    };
    let judged = judge.findings().into_iter().filter(was_asked);
    let refused = judged.chain(judge.local().into_iter().filter(may_matter));
    refused.filter(Finding::is_refused).collect()
}
