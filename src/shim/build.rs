//! The story of an install that builds: from source archives, directories, repositories.
//!
//! Owns the order of its steps. pip resolves and builds behind the gateway, which hands a file
//! over only after its verdict, so that nothing unverified runs; then it installs from what was
//! handed over, and from nothing else. What no index vouches for is judged before pip begins.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use url::Url;

use super::install::{Install, verified, with_verified_digests};
use super::second_step::World;
use crate::audit::Finding;
use crate::build_steps::Closed;
use crate::digest::Sha256;
use crate::direct::{self, Direct};
use crate::failure::{Failure, Status};
use crate::filename::DistFilename;
use crate::gateway::{Gateway, Guessing, Handed, Handover, Judging, Setup};
use crate::judge::Judge;
use crate::lock::{Entry, File, Lock, Source};
use crate::pip::guard::{Allowed, Place};
use crate::pip::resolve::Question;
use crate::plain_filename::FileName;
use crate::resolution::{Prepared, Unresolved, private_directory};
use crate::sources::{self, Sources};
use crate::steps::{self, Installed};
use crate::trust::file::TrustFile;
use crate::trust::policy::{UnsignedKind, Verdict};
use crate::trust::store::Store;
use crate::wheelhouse::{Fetched, JOBS, Wheelhouse};

/// What a build is done with.
pub(super) struct Build<'a> {
    pub(super) install: &'a Install<'a>,
    pub(super) prepared: &'a Prepared<'a>,
    pub(super) sources: Arc<Sources>,
    pub(super) store: &'a Store,
    pub(super) trust: &'a TrustFile,
}

impl Build<'_> {
    pub(super) fn run(&self) -> Result<ExitCode, Unresolved> {
        let directory = self.install.run.subdirectory("build").map_err(private_directory)?;
        let copies = self.prepared.copies(self.install.request(), &directory)?;
        let named = direct::named(self.install.arguments, &copies.texts());
        self.judge_named(&named)?;

        let policy = sources::policy(self.install.process);
        let judge = Arc::new(Judge::new(Arc::clone(&self.sources), self.trust.clone(), policy));
        let gateway = self.gateway(&directory, &judge)?;
        let closed = Closed {
            indexes: gateway.index_urls(),
            find_links: self.find_links(&directory, &judge)?,
            requirements: copies.requirements.clone(),
            constraints: copies.constraints.clone(),
            cache: directory.join("cache"),
        };
        let resolved = self.resolve(&closed, &named, &directory);
        let judged = judge.findings();
        // A file that was refused is why pip failed, whatever it says.
        self.install.decide(refused(&judged), self.store, self.trust)?;
        if let Some(failed) = gateway.failures().into_iter().next() {
            return Err(failed.failure.into());
        }
        let mut lock = resolved?;
        let handed = gateway.handed_over();
        place(&mut lock, &gateway);
        drop(gateway);

        let findings = self.findings(&lock, &judged, &handed);
        let findings = self.install.decide(findings, self.store, self.trust)?;
        let lock = with_verified_digests(lock, &findings);
        let fetched = self.fetch(&lock, &handed)?;
        self.install.conclude(&findings, self.store)?;
        let files = handed.iter().map(|handed| (handed.path.as_path(), handed.sha256));
        let fetched = fetched.iter().map(|fetched| (fetched.path.as_path(), fetched.sha256));
        let links = links_page(files.chain(fetched), closed.find_links.as_deref());
        Ok(self.hand_to_pip(&closed, &lock, links)?)
    }

    /// What the user named by its place has no attestation: judged before anything of it runs.
    fn judge_named(&self, named: &[Direct]) -> Result<(), Failure> {
        let policy = sources::policy(self.install.process);
        let findings: Vec<Finding> =
            named.iter().filter_map(|direct| direct.finding(self.trust, &policy)).collect();
        self.install.decide(refused(&findings), self.store, self.trust).map(drop)
    }

    fn gateway(&self, directory: &Path, judge: &Arc<Judge>) -> Result<Gateway, Failure> {
        let handed = directory.join("handed-over");
        std::fs::create_dir(&handed).map_err(private_directory)?;
        let judge = Arc::clone(judge);
        let setup = Setup {
            client: Arc::clone(&self.sources.client),
            indexes: self.sources.indexes.clone(),
            directory: handed,
            pip_cache: self.prepared.settings.cache.clone(),
            judging: Judging::Before(Box::new(move |asked| judge.judge(asked))),
            // A guess would be judged too, and its refusal be taken for an answer.
            ahead: Guessing::Never,
        };
        Ok(Gateway::start(setup)?)
    }

    /// A private directory of links to the files of the user's `--find-links` directories that may
    /// be used. pip reads such places by itself, past the gateway.
    fn find_links(&self, directory: &Path, judge: &Judge) -> Result<Option<PathBuf>, Failure> {
        let places = &self.prepared.settings.find_links;
        if places.is_empty() {
            return Ok(None);
        }
        let links = directory.join("find-links");
        std::fs::create_dir(&links).map_err(private_directory)?;
        for place in places {
            let path = match Url::parse(place) {
                Ok(url) if url.scheme() == "file" => url.to_file_path().ok(),
                Ok(_) => None,
                Err(_) => Some(self.install.process.directory.join(place)),
            };
            let Some(path) = path.filter(|path| path.is_dir() || !path.exists()) else {
                let message = format!("cannot stand in for the find-links place {place}");
                return Err(Failure::new(Status::Refused, message)
                    .hint("while building from source, find-links must be a directory"));
            };
            let Ok(entries) = std::fs::read_dir(&path) else { continue };
            for entry in entries.filter_map(Result::ok) {
                self.link(&entry.path(), &links, judge)?;
            }
        }
        Ok(Some(links))
    }

    fn link(&self, path: &Path, links: &Path, judge: &Judge) -> Result<(), Failure> {
        let text = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let (Ok(dist), Ok(filename)) = (DistFilename::parse(text), FileName::parse(text)) else {
            return Ok(());
        };
        // Only a project on record can be refused for want of an attestation, or all by STRICT;
        // for the others the digest would be of no use.
        let sha256 = match self.trust.pin(dist.name()) {
            Some(_) => {
                std::fs::File::open(path).and_then(|mut file| Sha256::of_reader(&mut file)).ok()
            }
            None => None,
        };
        let url = Url::from_file_path(path).map_or_else(|()| text.to_owned(), |url| url.into());
        let file = File { filename, url, sha256 };
        if judge.judge_local(dist.name(), file)? == Handover::Give {
            // Twice the same name: the first place wins, as it does for pip.
            let _ = std::os::unix::fs::symlink(path, links.join(text));
        }
        Ok(())
    }

    fn resolve(
        &self,
        closed: &Closed,
        named: &[Direct],
        directory: &Path,
    ) -> Result<Lock, Unresolved> {
        let output = directory.join("report.json");
        let argv = closed.report(self.install.arguments, Installed::Counts, &output);
        let mut places = Vec::new();
        for (place, present) in [
            (Place::Url, named.iter().any(Direct::is_url)),
            (Place::VersionControl, named.iter().any(Direct::is_repository)),
        ] {
            if present {
                places.push(place);
            }
        }
        let question = Question {
            arguments: &argv,
            output: &output,
            allowed: Allowed::Builds { named: places },
            environment: self.environment(closed),
        };
        let (lock, stderr) = self.prepared.resolver().report(&question)?;
        self.install.pass_on_warnings(&stderr);
        Ok(lock)
    }

    fn environment(&self, closed: &Closed) -> crate::pip::run::Environment {
        let process = self.install.process;
        let no_proxy = process.text("NO_PROXY").or_else(|| process.text("no_proxy"));
        closed.environment(&self.prepared.probe, no_proxy.as_deref())
    }

    /// The files of the lock that pip did not need whole to resolve: it may have read their
    /// METADATA alone.
    fn fetch(&self, lock: &Lock, handed: &[Handed]) -> Result<Vec<Fetched>, Failure> {
        let directory = self.install.run.subdirectory("wheelhouse").map_err(private_directory)?;
        let wheelhouse = Wheelhouse::new(directory, self.prepared.settings.cache.as_deref());
        let missing = lock.entries.iter().filter_map(|entry| match &entry.source {
            Source::Files(files) => Some(files),
            _ => None,
        });
        let missing = missing
            .flatten()
            .filter(|file| !handed.iter().any(|handed| file.filename.as_str() == handed.filename));
        // What lies in the user's own directories is linked to already.
        let missing = missing.filter(|file| !file.url.starts_with("file:"));
        let wanted = missing.map(verified).collect::<Result<Vec<_>, _>>()?;
        Ok(wheelhouse.fetch_all(&self.sources.client, &wanted, JOBS)?)
    }

    /// What is installed, and what it was built with.
    fn findings(&self, lock: &Lock, judged: &[Finding], handed: &[Handed]) -> Vec<Finding> {
        let mut findings: Vec<Finding> = judged
            .iter()
            .filter(|finding| {
                let Some(file) = &finding.file else { return false };
                let is_handed = handed.iter().any(|h| h.filename == file.filename.as_str());
                let mut locked = lock.entries.iter().flat_map(Entry::files);
                is_handed || locked.any(|locked| locked.filename == file.filename)
            })
            .cloned()
            .collect();
        for entry in &lock.entries {
            let (kind, file) = match &entry.source {
                Source::Files(_) => continue,
                Source::Direct(file) if file.url.starts_with("file:") => {
                    (UnsignedKind::LocalFile, Some(file.clone()))
                }
                Source::Direct(file) => (UnsignedKind::DirectUrl, Some(file.clone())),
                Source::Vcs(_) => (UnsignedKind::VersionControl, None),
                Source::Directory { .. } => (UnsignedKind::Directory, None),
            };
            findings.push(crate::audit::unattested(
                entry,
                file,
                kind,
                self.trust,
                &sources::policy(self.install.process),
            ));
        }
        findings
    }

    fn hand_to_pip(
        &self,
        closed: &Closed,
        lock: &Lock,
        links: String,
    ) -> Result<ExitCode, Failure> {
        let directory = self.install.run.directory();
        let world = World { links, files: directory, environment: self.environment(closed) };
        if lock.entries.iter().any(|entry| !matches!(entry.source, Source::Files(_))) {
            return world.install_unhashed(self.install, closed, lock);
        }
        let prepared = self.prepared;
        let remote = prepared.files.remote;
        let form = steps::form(&prepared.probe, self.install.arguments, lock, remote);
        world.install_hashed(self.install, form, lock)
    }
}

/// The findings that are refusals.
fn refused(findings: &[Finding]) -> Vec<Finding> {
    findings.iter().filter(|finding| matches!(finding.verdict, Verdict::Fail(_))).cloned().collect()
}

/// The gateway's URLs replaced by those they stand for.
fn place(lock: &mut Lock, gateway: &Gateway) {
    for entry in &mut lock.entries {
        let Source::Files(files) = &mut entry.source else { continue };
        for file in files {
            if let Some(real) = Url::parse(&file.url).ok().and_then(|url| gateway.real_url(&url)) {
                file.url = real.file.url.into();
            }
        }
    }
}

/// A page that leads to every file that was handed over, and to those of the user's directories.
fn links_page<'a>(files: impl Iterator<Item = (&'a Path, Sha256)>, local: Option<&Path>) -> String {
    let mut page = String::from("<!DOCTYPE html>\n<html><body>\n");
    let mut link = |path: &Path, hash: Option<String>| {
        if let (Ok(url), Some(name)) = (Url::from_file_path(path), path.file_name()) {
            let url = url.as_str().replace('&', "&amp;");
            let hash = hash.map(|hash| format!("#sha256={hash}")).unwrap_or_default();
            page.push_str(&format!("<a href=\"{url}{hash}\">{}</a>\n", name.to_string_lossy()));
        }
    };
    for (path, sha256) in files {
        link(path, Some(sha256.to_string()));
    }
    let entries = local.and_then(|local| std::fs::read_dir(local).ok());
    for entry in entries.into_iter().flatten().filter_map(Result::ok) {
        link(&entry.path(), None);
    }
    page.push_str("</body></html>\n");
    page
}
