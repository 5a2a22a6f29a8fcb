//! Checks of the wheels before pip unpacks them, and of the trust files afterwards.
//!
//! Collects the paths that no wheel may overwrite in this run, and words the refusals. The rules
//! are in `contents`; `trust::sentinel` watches the trust files.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::Path;
use std::sync::Mutex;

use crate::attestation::publisher::PublisherUrl;
use crate::contents::ground::OutOfBounds;
use crate::contents::{Violation, Wheel, violations};
use crate::evidence::audit::Finding;
use crate::failure::{Failure, Status};
use crate::package::lock::{Entry, Lock, Source};
use crate::package::name::PackageName;
use crate::pip::find;
use crate::pip::preinstall::{Permission, Preinstall, Proposal};
use crate::pip::scheme::Scheme;
use crate::resolve::resolution::Unresolved;
use crate::resolve::session::Session;
use crate::shim::verified::verified;
use crate::sync::lock;
use crate::trust::pins::Pins;
use crate::trust::policy::Verdict;
use crate::trust::sentinel::Sentinel;
use crate::trust::store::Store;
use crate::wheelhouse::{Fetched, Wanted};

/// Maximum number of violations that are printed.
const SHOWN: usize = 10;

/// The wheels of one run that pip will unpack.
pub(super) struct Unpacking<'a> {
    session: &'a Session<'a>,
    store: &'a Store,
    trust: &'a Pins,
    /// The refusal that was sent to a running pip.
    refused: Mutex<Option<Failure>>,
}

impl<'a> Unpacking<'a> {
    pub(super) const fn new(session: &'a Session<'a>, store: &'a Store, trust: &'a Pins) -> Self {
        Self { session, store, trust, refused: Mutex::new(None) }
    }

    /// Checks wheels before pip unpacks them.
    ///
    /// # Errors
    /// A wheel contains a path that it must not own.
    pub(super) fn check(&self, wheels: &[Wheel], scheme: &Scheme) -> Result<(), Failure> {
        let recorded = self.trust.pins().map(|(name, pin)| (name, &pin.url));
        let found = violations(wheels, scheme, &self.out_of_bounds(), recorded);
        if found.is_empty() {
            return Ok(());
        }
        let line =
            |violation: &Violation| format!("refused: {}: {}", violation.wheel, violation.wrong);
        found.iter().take(SHOWN).for_each(|it| self.session.report.detail(&line(it)));
        let message = match found.len() {
            1 => "a wheel would own a path of another owner; nothing was installed".to_owned(),
            more => format!("{more} paths have two owners; nothing was installed"),
        };
        Err(Failure::new(Status::Refused, message)
            .hint("leave that project out, or choose another release of it"))
    }

    /// Runs a guarded pip that builds. Before it unpacks wheels, build requirements included, that
    /// pip asks this process at a loopback port, which a variable in its environment names.
    /// `findings` returns the verdicts known at that time.
    ///
    /// # Errors
    /// A wheel contains a path that it must not own, or pip could not ask.
    pub(super) fn answering<T>(
        &self,
        findings: impl Fn() -> Vec<Finding> + Sync,
        run: impl FnOnce((OsString, OsString)) -> T,
    ) -> Result<T, Failure> {
        let cannot = |error: std::io::Error| {
            let message = format!("cannot open a port of this machine for pip: {error}");
            Failure::new(Status::CouldNotCheck, message)
        };
        let preinstall = Preinstall::open().map_err(cannot)?;
        let variable = preinstall.variable().map_err(cannot)?;
        let answer = |proposal: &Proposal| self.answer(proposal, &findings());
        let ended = preinstall.during(answer, || run(variable)).map_err(cannot)?;
        match lock(&self.refused).take() {
            Some(refused) => Err(refused),
            None => Ok(ended),
        }
    }

    fn answer(&self, proposal: &Proposal, findings: &[Finding]) -> Permission {
        let publishers = Publishers::of(findings);
        let wheels = proposal.wheels.iter().map(|wheel| {
            let name = PackageName::parse(&wheel.name).map_err(|error| {
                let message = format!("pip would install a wheel without a name: {error}");
                Failure::new(Status::CouldNotCheck, message)
            })?;
            let file = wheel.path.file_name().unwrap_or_default().to_string_lossy();
            let version = file.split('-').nth(1).unwrap_or_default();
            Ok(Wheel {
                title: format!("{name} {version}"),
                filename: file.clone().into_owned(),
                path: wheel.path.clone(),
                publisher: publishers.of_project(&name),
                name,
            })
        });
        let checked = wheels
            .collect::<Result<Vec<_>, Failure>>()
            .and_then(|wheels| self.check(&wheels, &proposal.scheme));
        match checked {
            Ok(()) => Permission::Install,
            Err(failure) => {
                let mut refused = lock(&self.refused);
                refused.get_or_insert(failure);
                Permission::Refuse
            }
        }
    }

    /// Runs the pip that installs, and restores trust files that were changed meanwhile.
    ///
    /// # Errors
    /// As `run`, or a trust file was changed.
    pub(super) fn watched<T>(
        &self,
        run: impl FnOnce() -> Result<T, Unresolved>,
    ) -> Result<T, Unresolved> {
        let cannot = |error: std::io::Error| {
            let message = format!("cannot watch the trust files: {error}");
            Failure::new(Status::CouldNotCheck, message)
        };
        let sentinel = Sentinel::watch(&self.store.guarded_paths()).map_err(cannot)?;
        let ended = run();
        let restored = sentinel.restore().map_err(cannot)?;
        let Some(first) = restored.first() else { return ended };
        let path = first.path.display();
        let message = format!("the trust file {path} was changed while pip installed; it is back");
        let failure = Failure::new(Status::Refused, message).hint(
            "an installed or built package changed it: inspect the packages before you go on",
        );
        let failure = match &first.changed {
            Some(changed) => failure.hint(format!("the changed version is {}", changed.display())),
            None => failure,
        };
        Err(failure.into())
    }

    fn out_of_bounds(&self) -> OutOfBounds {
        let process = self.session.process;
        let path = process.variable("PATH").unwrap_or_default();
        let mut programs = find::shims(path, &process.executable, &process.directory);
        programs.push(process.executable.clone());
        let invoked = Path::new(&process.invoked_as);
        if invoked.components().count() > 1 {
            programs.push(process.directory.join(invoked));
        }
        OutOfBounds { trust: self.store.guarded_paths(), programs }
    }
}

/// The verified publishers of a run.
struct Publishers<'a> {
    files: HashMap<&'a str, &'a PublisherUrl>,
    projects: HashMap<&'a PackageName, &'a PublisherUrl>,
}

impl<'a> Publishers<'a> {
    fn of(findings: &'a [Finding]) -> Self {
        let (mut files, mut projects) = (HashMap::new(), HashMap::new());
        for finding in findings {
            let (Verdict::Ok { publisher } | Verdict::Record { publisher }) = &finding.verdict
            else {
                continue;
            };
            projects.insert(&finding.name, publisher.url());
            if let Some(file) = &finding.file {
                files.insert(file.filename.as_str(), publisher.url());
            }
        }
        Self { files, projects }
    }

    fn of_project(&self, name: &PackageName) -> Option<PublisherUrl> {
        self.projects.get(name).map(|publisher| (*publisher).clone())
    }
}

/// Returns the wheels among the fetched files, with their verified publishers.
pub(super) fn wheels(fetched: &[Fetched], findings: &[Finding]) -> Vec<Wheel> {
    let publishers = Publishers::of(findings);
    let titles: HashMap<&str, &Finding> = findings
        .iter()
        .filter_map(|finding| Some((finding.file.as_ref()?.filename.as_str(), finding)))
        .collect();
    let wheel = |file: &Fetched| {
        let filename = file.filename.as_str();
        let finding = titles.get(filename).filter(|_| filename.ends_with(".whl"))?;
        Some(Wheel {
            name: finding.name.clone(),
            title: finding.title.clone(),
            filename: filename.to_owned(),
            path: file.path.clone(),
            publisher: publishers.files.get(filename).map(|publisher| (*publisher).clone()),
        })
    };
    fetched.iter().filter_map(wheel).collect()
}

/// Returns the wheels of a lock that are named by URL or path. pip fetches those itself.
pub(super) fn by_place(lock: &Lock) -> Result<Vec<Wanted>, Failure> {
    let direct = lock.entries.iter().filter(|entry| matches!(entry.source, Source::Direct(_)));
    let wheels =
        direct.flat_map(Entry::files).filter(|file| file.filename.as_str().ends_with(".whl"));
    wheels.map(verified).collect()
}

/// Returns the installation scheme that pip stated.
///
/// # Errors
/// pip stated none.
pub(super) fn stated(scheme: Option<Box<Scheme>>) -> Result<Box<Scheme>, Failure> {
    scheme.ok_or_else(|| {
        Failure::new(
            Status::CouldNotCheck,
            "pip does not report the directories that it installs into",
        )
        .hint("use the pip of another environment: python3 -m venv .venv")
    })
}
