//! The sources of evidence in this run, as the user configured them.
//!
//! Reads this program's own settings: trust files, trusted root, second source, policy. The shim
//! and the tool share it. Must not judge.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use url::Url;

use crate::attestation::verifier::{MAX_TRUSTED_ROOT, Verifier};
use crate::cache::Cache;
use crate::evidence::audit::{Audit, Finding};
use crate::failure::{Failure, Status};
use crate::http::Client;
use crate::http::redact::redacted_text;
use crate::http::settings::{Login, ProxyVariables};
use crate::index::{Index, SecondSource};
use crate::package::digest::Sha256;
use crate::package::lock::{File, Lock};
use crate::pip::settings::{Settings, Surroundings};
use crate::process::Process;
use crate::terminal::progress::Progress;
use crate::terminal::report::Report;
use crate::trust::location::{Places, SYSTEM_FILE, Surroundings as TrustSurroundings};
use crate::trust::ownership::User;
use crate::trust::pins::Pins;
use crate::trust::policy::{Policy, Unrecorded, Unsigned, Verdict};
use crate::trust::store::Store;
use crate::wheelhouse::{JOBS, Wanted, Wheelhouse};

/// This program's own settings about evidence, without pip's settings.
pub struct EvidenceSettings {
    /// The second source, if one is configured.
    pub second_source: Option<SecondSource>,
    /// The verifier.
    pub verifier: Verifier,
}

impl EvidenceSettings {
    /// Reads the settings. Called first, since an error here must not cost network requests.
    ///
    /// # Errors
    /// The trusted root or the second source is not valid.
    pub fn read(process: &Process) -> Result<Self, Failure> {
        Ok(Self {
            second_source: second_source(process)?,
            verifier: verifier(process.variable("PYPI_VERIFY_NOW_TRUSTED_ROOT").map(Path::new))?,
        })
    }
}

/// All sources of evidence.
pub struct Sources {
    /// The HTTP client.
    pub client: Arc<Client>,
    /// The indexes, in order.
    pub indexes: Vec<Url>,
    /// Whether there are `--find-links` places.
    pub find_links: bool,
    /// The user's own settings.
    pub own: EvidenceSettings,
    /// The cache. `None` if pip has no cache, or if its directory belongs to another user.
    pub cache: Option<Cache>,
    /// The progress of the run.
    pub progress: Arc<Progress>,
}

impl Sources {
    /// Sets up the sources. Sends no request yet.
    #[must_use]
    pub fn new(own: EvidenceSettings, settings: &Settings) -> Self {
        Self {
            client: Arc::new(Client::new(&settings.transport)),
            indexes: settings.indexes.clone(),
            find_links: !settings.find_links.is_empty(),
            own,
            cache: settings.cache.as_deref().and_then(Cache::open),
            progress: Arc::default(),
        }
    }

    /// Returns these sources, which report to `progress`.
    #[must_use]
    pub fn telling(self, progress: &Arc<Progress>) -> Self {
        Self { progress: Arc::clone(progress), ..self }
    }

    /// Adds credentials that pip obtained to this program's own requests.
    pub fn lend(&self, logins: &[Login]) {
        self.client
            .add_credentials(logins.iter().flat_map(|login| login.urls(&self.indexes)).collect());
    }

    /// Returns a client of the indexes that has fetched nothing in this run.
    #[must_use]
    pub fn index(&self) -> Index<'_> {
        Index::with_cache(&self.client, self.cache.clone())
    }

    /// Audits a lock. Files are downloaded to the wheelhouse to compute a digest that neither lock
    /// nor index states, and to compare digests other than sha256.
    ///
    /// # Errors
    /// Evidence could not be obtained.
    pub fn audit(
        &self,
        index: &Index<'_>,
        trust: &Pins,
        policy: Policy,
        wheelhouse: &Wheelhouse,
        lock: &Lock,
    ) -> Result<Vec<Finding>, Failure> {
        let computed = Mutex::new(BTreeMap::<_, Sha256>::new());
        let known = || crate::sync::lock(&computed);
        let digest = |file: &File| {
            // Each file is fetched once, even if several entries list it.
            let key = (file.place.clone(), file.sha256, file.claims.clone());
            if let Some(sha256) = known().get(&key) {
                return Ok(*sha256);
            }
            let fetched = wheelhouse.fetch_all(&self.client, &[wanted(file)?], JOBS)?;
            let first = fetched.into_iter().next().map(|fetched| fetched.sha256);
            let nothing = || Failure::new(Status::CouldNotCheck, "nothing was fetched");
            let sha256 = first.ok_or_else(nothing)?;
            known().insert(key, sha256);
            Ok(sha256)
        };
        Audit {
            index,
            indexes: &self.indexes,
            find_links: self.find_links,
            second_source: self.own.second_source.as_ref(),
            verifier: &self.own.verifier,
            trust,
            policy,
            digest: &digest,
            progress: &self.progress,
        }
        .run(lock)
    }
}

/// Returns the file of a lock in the form that the wheelhouse fetches.
///
/// # Errors
/// The place of the file is neither a URL nor an absolute path.
pub fn wanted(file: &File) -> Result<Wanted, Failure> {
    let url = file.place.to_url().ok_or_else(|| {
        let message = format!("the place of {} is neither a URL nor a path", file.filename);
        Failure::new(Status::BadInput, message)
    })?;
    let File { filename, sha256, claims, .. } = file.clone();
    Ok(Wanted { filename, url, sha256, claims })
}

/// Records every publisher that trust on first use accepted, and prints a line for each.
///
/// # Errors
/// The trust file cannot be written, or another process recorded a different publisher meanwhile.
pub fn record(report: Report, findings: &[Finding], store: &Store) -> Result<(), Failure> {
    let new: BTreeMap<_, _> = findings
        .iter()
        .filter_map(|finding| match &finding.verdict {
            Verdict::Record { publisher } => Some((finding.name.clone(), publisher.url().clone())),
            _ => None,
        })
        .collect();
    if new.is_empty() {
        return Ok(());
    }
    let new: Vec<_> = new.into_iter().collect();
    let path = store.record(&new)?;
    for (name, url) in &new {
        report.news(&format!("recorded: {name} {url} in {}", path.display()));
    }
    Ok(())
}

/// Returns the verifier for a trusted root file, or for the embedded production root.
///
/// # Errors
/// The file cannot be read or is not a trusted root.
pub fn verifier(trusted_root: Option<&Path>) -> Result<Verifier, Failure> {
    let Some(path) = trusted_root else { return Ok(Verifier::production()?) };
    let limit = u64::try_from(MAX_TRUSTED_ROOT).unwrap_or(u64::MAX);
    let bytes = read_bounded(path, limit)
        .map_err(|error| unreadable("trusted root", path, &error.to_string()))?;
    Verifier::from_trusted_root(&bytes)
        .map_err(|error| unreadable("trusted root", path, &error.to_string()))
}

/// Reads a whole file that is not larger than `limit` bytes.
///
/// # Errors
/// The file cannot be read, or is larger.
pub fn read_bounded(path: &Path, limit: u64) -> std::io::Result<Vec<u8>> {
    let bytes = crate::package::bounded::read(std::fs::File::open(path)?, limit)?;
    bytes.ok_or_else(|| std::io::Error::other(format!("larger than {limit} bytes")))
}

/// Returns the failure for a file of the user's that cannot be read as `what`.
#[must_use]
pub fn unreadable(what: &str, path: &Path, why: &str) -> Failure {
    Failure::new(Status::BadInput, format!("cannot read {what} {}: {why}", path.display()))
}

fn second_source(process: &Process) -> Result<Option<SecondSource>, Failure> {
    let Some(value) = process.variable("PYPI_VERIFY_NOW_PROVENANCE") else { return Ok(None) };
    let text = value.to_string_lossy();
    if let Ok(url) = Url::parse(&text)
        && matches!(url.scheme(), "http" | "https")
    {
        return Ok(Some(SecondSource::Index(url)));
    }
    let directory = process.directory.join(value);
    if directory.is_dir() {
        return Ok(Some(SecondSource::Directory(directory)));
    }
    let shown = redacted_text(&text);
    let message = format!("PYPI_VERIFY_NOW_PROVENANCE is neither a directory nor a URL: {shown}");
    Err(Failure::new(Status::BadInput, message))
}

/// Returns the trust files of this run.
#[must_use]
pub fn trust_store(process: &Process, named: Option<&Path>) -> Store {
    let named = named.filter(|name| !name.as_os_str().is_empty());
    Store::at(Places::find(&TrustSurroundings {
        filename: named.or_else(|| process.setting("FILENAME").map(Path::new)),
        cwd: &process.directory,
        xdg_config_home: process.variable("XDG_CONFIG_HOME").map(Path::new),
        home: process.variable("HOME").map(Path::new),
        system: Path::new(SYSTEM_FILE),
        user: User { id: process.user, group: process.group },
    }))
}

/// Reads the trust files, and prints their paths if the user asked for that.
///
/// # Errors
/// A file cannot be read or does not count, or two files contradict each other.
pub fn pins(report: Report, store: &Store, policy: &Policy) -> Result<Pins, Failure> {
    let pins = store.load(policy.unrecorded)?;
    let files: Vec<_> = pins.files().iter().map(|it| it.path.display().to_string()).collect();
    let files = if files.is_empty() { "none".to_owned() } else { files.join(", ") };
    report.explain(&format!("trust files: {files}"));
    Ok(pins)
}

/// Returns the policy from the variables `STRICT` and `TOFU`.
///
/// # Errors
/// The value of a variable is neither on nor off.
pub fn policy(process: &Process) -> Result<Policy, Failure> {
    let (strict, tofu) = (process.switched_on("STRICT")?, process.switched_on("TOFU")?);
    Ok(Policy {
        unsigned: if strict { Unsigned::Refuse } else { Unsigned::Install },
        unrecorded: if tofu { Unrecorded::Record } else { Unrecorded::Refuse },
    })
}

/// Returns the inputs of pip's settings other than pip itself.
#[must_use]
pub fn surroundings(process: &Process) -> Surroundings {
    let path = |name: &str| process.variable(name).map(PathBuf::from);
    let home = path("HOME");
    Surroundings {
        default_index: None,
        default_cache: None,
        network: None,
        pip: None,
        proxies: ProxyVariables::from_lookup(|name| process.text(name)),
        requests_ca_bundle: path("REQUESTS_CA_BUNDLE").or_else(|| path("CURL_CA_BUNDLE")),
        netrc: path("NETRC").or_else(|| home.map(|home| home.join(".netrc"))),
    }
}
