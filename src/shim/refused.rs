//! Refusals of a build, and the publishers that the user agreed to after them.
//!
//! Selects the judge's findings about files that pip really requested. It must not judge.

use std::collections::BTreeMap;

use crate::attestation::publisher::Publisher;
use crate::evidence::audit::Finding;
use crate::evidence::judge::Judge;
use crate::gateway::Gateway;
use crate::package::lock::Lock;
use crate::package::name::PackageName;
use crate::trust::policy::Verdict;

/// The publishers that the user trusts from this run on, by project.
pub(super) type Agreed = BTreeMap<PackageName, Publisher>;

/// Returns the publishers that the user agreed to.
pub(super) fn recorded(findings: &[Finding]) -> Agreed {
    let agreed = findings.iter().filter_map(|finding| match &finding.verdict {
        Verdict::Record { publisher } => Some((finding.name.clone(), publisher.clone())),
        _ => None,
    });
    agreed.collect()
}

/// Returns the refusals of files that pip requested. A file in the user's own directories is
/// ignored if pip does not need it.
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
