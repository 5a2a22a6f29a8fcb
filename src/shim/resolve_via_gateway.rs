//! Resolves through the gateway, for speed.
//!
//! pip asks the gateway instead of its indexes, so the gateway can fetch the pages, METADATA and
//! wheels that pip will ask for next. This module decides if that is possible, and builds the
//! environment and the arguments of such a pip.
//!
//! It must not judge: only wheels are resolved, under the guard, and every file is judged
//! afterwards as without a gateway. If the gateway cannot stand in for an index, pip asks that
//! index directly.

use std::path::Path;
use std::sync::Arc;

use url::Url;

use crate::evidence::sources::Sources;
use crate::gateway::{Failed, Gateway, HOST, Judging, Prefetching, Refusal, Setup, WheelRanking};
use crate::http::settings::Proxy;
use crate::index::Index;
use crate::pip::command_line::arguments::{InstallArgs, Positionals};
use crate::pip::command_line::invocation::{Invocation, classify};
use crate::pip::command_line::table::{Fact, PipOption};
use crate::pip::guard::GATEWAY_HAS_INDEXES;
use crate::pip::run::{Captured, Cause, Environment};
use crate::resolve::direct::Direct;
use crate::resolve::resolution::{Prepared, Resolved, Unresolved};
use crate::resolve::session::Session;
use crate::shim::places::{in_words_of_the_user, place};

/// Returns whether the gateway replaces an option: it names an index or a proxy.
fn is_stood_in_for(option: &PipOption) -> bool {
    option.is(Fact::NeedsNetwork)
}

/// A gateway that pip resolves through, with the environment that leads pip to it.
pub(super) struct GatewayResolver<'a> {
    gateway: Gateway,
    arguments: InstallArgs,
    environment: Environment,
    prepared: &'a Prepared<'a>,
}

impl<'a> GatewayResolver<'a> {
    /// Starts a gateway that keeps its files in `directory`. Returns `None` if the gateway cannot
    /// stand in for every index of this run.
    pub(super) fn start(
        session: &Session<'_>,
        prepared: &'a Prepared<'a>,
        sources: &Sources,
        directory: &Path,
    ) -> Option<Self> {
        let reachable = |url: &Url| matches!(url.scheme(), "http" | "https");
        let arguments = session.arguments;
        let lines = &prepared.files.lines;
        let names_indexes = lines.index_url.is_some() || !lines.extra_index_urls.is_empty();
        if lines.no_index
            // A remote file may name another index when pip reads it.
            || (names_indexes && prepared.files.remote)
            // Variables lead pip to the gateway, and an isolated pip reads none.
            || arguments.has("--isolated")
            || arguments.unknown()
            || arguments.abbreviated()
            || sources.indexes.is_empty()
            // pip warns of such an index, and would not see it.
            || !prepared.settings.not_urls.is_empty()
            || !sources.indexes.iter().all(reachable)
            // pip would know neither the proxy nor the credentials of an index for other URLs.
            || ((has_proxy(prepared) || sources.indexes.iter().any(has_credentials))
                && reaches_out(arguments, prepared))
        {
            return None;
        }
        // Without a target no wheel is guessed, only the pages of what the user names.
        let target = prepared.probe.facts.target.as_deref().cloned().unwrap_or_default();
        let setup = Setup {
            client: Arc::clone(&sources.client),
            indexes: sources.indexes.clone(),
            directory: directory.to_owned(),
            pip_cache: prepared.settings.cache.clone(),
            judging: Judging::Later,
            prefetching: Prefetching::Enabled(WheelRanking { target }),
        };
        let gateway = Gateway::start(setup).ok()?;
        gateway.prefetch(&prepared.asked_for(arguments));
        let arguments = argv_for_gateway(arguments, prepared)?;
        let environment = environment(prepared, &gateway.index_urls());
        Some(Self { gateway, arguments, environment, prepared })
    }

    /// Resolves, and returns the lock with the gateway and the files that the gateway has fetched.
    /// `index` receives the answers that the gateway got from the user's indexes. Returns `None` if
    /// pip must ask its indexes directly: the gateway failed where pip itself may succeed.
    pub(super) fn resolve(
        self,
        session: Session<'_>,
        index: &Index<'_>,
    ) -> Option<Result<(Resolved, Option<Gateway>), Unresolved>> {
        let session = Session { arguments: &self.arguments, ..session };
        let resolved = session.resolve(self.prepared, &self.environment);
        self.gateway.stop_prefetching();
        if let Some(refusal) = self.gateway.refusals().into_iter().next() {
            return Some(Err(Refusal::failure(refusal.reason).into()));
        }
        // pip itself would fail with this answer, too: this program has asked as often as pip.
        let is_final = |failed: &Failed| {
            failed.filename.is_some() && failed.code.is_some_and(|code| code >= 500)
        };
        if matches!(resolved, Err(Unresolved::Pip(_)))
            && let Some(failed) = self.gateway.failures().into_iter().find(is_final)
        {
            return Some(Err(failed.failure.into()));
        }
        // A project that pip could not find may be behind the proxy that this pip was not given.
        let in_doubt = match &resolved {
            Ok(_) => false,
            Err(Unresolved::Pip(_)) if has_proxy(self.prepared) => true,
            Err(_) => !self.gateway.failures().is_empty(),
        };
        if in_doubt && session.run.interrupted().is_none() {
            return None;
        }
        for known in self.gateway.pages() {
            index.store_page(&known.index, &known.name, known.page);
        }
        Some(match resolved {
            Ok(mut resolved) => {
                place(&mut resolved.lock, &self.gateway);
                resolved.stderr =
                    in_words_of_the_user(&self.gateway, self.prepared, &resolved.stderr);
                if let Some(said) = &mut resolved.said {
                    said.stdout = in_words_of_the_user(&self.gateway, self.prepared, &said.stdout);
                }
                Ok((resolved, Some(self.gateway)))
            }
            Err(Unresolved::Pip(captured)) => Err(Unresolved::Pip(Captured {
                cause: match self.gateway.has_foreign_metadata() {
                    true => Cause::Other,
                    false => captured.cause,
                },
                stdout: in_words_of_the_user(&self.gateway, self.prepared, &captured.stdout),
                stderr: in_words_of_the_user(&self.gateway, self.prepared, &captured.stderr),
                ..captured
            })),
            Err(error) => Err(error),
        })
    }
}

/// Returns whether the user gave pip a `--proxy`. That option knows no exceptions, not even for the
/// gateway, so it is removed when pip resolves through the gateway.
fn has_proxy(prepared: &Prepared<'_>) -> bool {
    matches!(prepared.settings.transport.proxy, Proxy::Url(_))
}

fn has_credentials(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// Returns whether pip must connect to machines other than its indexes, judged by the command line
/// and the requirements files.
fn reaches_out(arguments: &InstallArgs, prepared: &Prepared<'_>) -> bool {
    let is_url = |place: &String| Url::parse(place).is_ok_and(|url| url.scheme() != "file");
    let is_remote = |word: &String| Direct::parse(word).is_some_and(|place| place.is_remote());
    prepared.files.remote
        || prepared.settings.find_links.iter().any(is_url)
        || prepared.asked_for(arguments).iter().any(is_remote)
}

/// Returns the user's arguments without the options for indexes and proxies, or `None` if they
/// cannot be removed with certainty.
fn argv_for_gateway(arguments: &InstallArgs, prepared: &Prepared<'_>) -> Option<InstallArgs> {
    let mut argv = arguments.global_without(is_stood_in_for);
    argv.push(arguments.subcommand().word().into());
    if prepared.probe.options.is_set("--proxy") {
        // Only an empty `--proxy` overrides a proxy from a configuration file, because pip ignores
        // an empty variable. The user may also have given exactly this option.
        argv.push("--proxy=".into());
    }
    argv.extend(arguments.without(is_stood_in_for, Positionals::Keep));
    match classify(&argv) {
        Invocation::Install(arguments) => Some(arguments),
        _ => None,
    }
}

/// Returns the variables that lead pip to the gateway. Its URLs are secret, and every user of the
/// machine can read a command line.
fn environment(prepared: &Prepared<'_>, urls: &[String]) -> Environment {
    let mut set = vec![];
    let mut remove = vec!["PIP_PYPI_URL".to_owned()];
    if let Some((first, others)) = urls.split_first() {
        set.push(("PIP_INDEX_URL".into(), first.into()));
        if !others.is_empty() {
            set.push(("PIP_EXTRA_INDEX_URL".into(), others.join(" ").into()));
        } else if prepared.probe.options.configured("--extra-index-url").is_some() {
            // pip ignores an empty PIP_EXTRA_INDEX_URL, so the first index is repeated to override
            // the configured one.
            set.push(("PIP_EXTRA_INDEX_URL".into(), first.into()));
        } else {
            remove.push("PIP_EXTRA_INDEX_URL".to_owned());
        }
    }
    // A line in a requirements file would override the variables.
    set.push((GATEWAY_HAS_INDEXES.into(), "1".into()));
    let exceptions = prepared.settings.transport.exceptions_with(HOST);
    set.extend(exceptions.map(|(name, value)| (name.into(), value.into())));
    Environment { set, remove }
}
