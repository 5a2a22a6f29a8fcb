//! Checks the effect of wheels on projects that are installed already.
//!
//! 1. A recorded project that stays installed keeps its files: no wheel may write one with other
//!    content, or a file that Python would load instead of it.
//! 2. A project that is upgraded is uninstalled first. pip then deletes the files that the
//!    project's metadata names, and these must be neither protected nor files of a recorded
//!    project.
//!
//! Reports violations to the survey of `contents`. Must not change the disk.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::path::Path;

use super::claims::{Claim, Origin};
use super::installed::{self, InstalledFile};
use super::{
    Listing, Overlap, Survey, Violation, Wheel, Wrong, digest, listing, module_of, source_of,
};
use crate::attestation::publisher::PublisherUrl;
use crate::package::digest::Sha256;
use crate::package::name::PackageName;
use crate::pip::scheme::Scheme;

/// The files of recorded projects that stay installed, by the form in which paths are compared.
#[derive(Default)]
struct Kept<'a> {
    files: HashMap<String, (&'a PackageName, &'a PublisherUrl, String)>,
    /// The modules that the files are loaded for.
    modules: HashMap<String, String>,
}

impl Survey<'_> {
    pub(super) fn installed(
        &mut self,
        owned: &[Vec<Claim>],
        scheme: &Scheme,
        recorded: &HashMap<&PackageName, &PublisherUrl>,
    ) {
        let libraries: BTreeSet<&str> = [scheme.purelib.as_str(), &scheme.platlib].into();
        let (mut kept, mut replaced) = (Kept::default(), Vec::new());
        for project in installed::projects(libraries) {
            if self.wheels.iter().any(|wheel| wheel.name == project.name) {
                replaced.push(project);
                continue;
            }
            let Some((name, publisher)) = recorded.get_key_value(&project.name) else { continue };
            for file in project.files() {
                let key = self.ground.key(&file.path);
                if let Some(module) = module_of(&key) {
                    kept.modules.insert(module, key.clone());
                }
                kept.files.insert(key, (name, publisher, file.path));
            }
        }
        self.keep(&kept, owned);
        let claimed: BTreeSet<String> = match (replaced.is_empty(), kept.files.is_empty()) {
            (false, false) => {
                owned.iter().flatten().map(|claim| self.ground.key(&claim.path)).collect()
            }
            _ => BTreeSet::new(),
        };
        for project in replaced {
            for file in project.removed(&scheme.scripts) {
                self.remove(&project.name, file, &kept, &claimed);
            }
        }
    }

    /// Checks that no wheel overwrites a file of an installed recorded project.
    fn keep(&mut self, kept: &Kept<'_>, owned: &[Vec<Claim>]) {
        if kept.files.is_empty() {
            return;
        }
        for (wheel, claims) in self.wheels.iter().zip(owned) {
            for claim in claims {
                let key = self.ground.key(&claim.path);
                let module = module_of(&key).and_then(|module| kept.modules.get(&module));
                let shadowed = module.filter(|other| **other != key).cloned();
                let shadowed = shadowed.or_else(|| source_of(&key));
                let shadowed = shadowed.and_then(|key| kept.files.get(&key));
                let same = kept.files.get(&key).filter(|it| !is_on_disk(wheel, claim, &it.2));
                let found = same.map(|it| (it, Overlap::Content));
                let found = found.or_else(|| shadowed.map(|it| (it, Overlap::Module)));
                let Some(((name, publisher, _), overlap)) = found else { continue };
                if wheel.publisher.as_ref() != Some(*publisher) {
                    let owner = format!("the installed project {name}");
                    self.report(wheel, overlap.wrong(claim, owner));
                }
            }
        }
    }

    /// Checks one path that pip deletes when it uninstalls a project. A directory is deleted with
    /// its whole content.
    fn remove(
        &mut self,
        project: &PackageName,
        file: InstalledFile,
        kept: &Kept<'_>,
        claimed: &BTreeSet<String>,
    ) {
        let key = self.ground.key(&file.path);
        let is_directory = Path::new(&file.path).is_dir();
        let below = || self.ground.below(&key).map(|(_, guardian)| guardian.clone());
        let guardian = self.ground.guardian(&key, project);
        let guardian = guardian.or_else(|| is_directory.then(below).flatten());
        let (origin, path) = (Origin::Row(file.row).to_string(), file.path);
        let wrong = if let Some(guardian) = guardian {
            Wrong::Guarded { origin, path, guardian }
        } else {
            let inside = format!("{key}/");
            let is_lost = |(other, _): &(&String, &(&PackageName, &PublisherUrl, String))| {
                **other == key && !claimed.contains(&key)
                    || is_directory && other.starts_with(&inside)
            };
            let Some((_, (name, ..))) = kept.files.iter().find(is_lost) else { return };
            let owner = format!("the installed project {name}");
            Wrong::Foreign { origin, path, owner }
        };
        let wheel = format!("{project}, as installed");
        self.found.push(Violation { wheel, wrong });
    }
}

/// Returns whether a member's content equals that of a file on the disk.
fn is_on_disk(wheel: &Wheel, claim: &Claim, path: &str) -> bool {
    let Origin::Member(at) = claim.origin else { return false };
    let Ok(Listing { members, .. }) = listing(wheel) else { return false };
    let Some(digest) = members.get(at).and_then(|member| digest(wheel, member)) else {
        return false;
    };
    File::open(path).and_then(|mut file| Sha256::of_reader(&mut file)).ok() == Some(digest)
}
