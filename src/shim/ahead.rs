//! Resolving through the gateway, for speed: what pip will ask for next is fetched before it asks.
//!
//! Owns when that is possible and what is made of it. It decides nothing: wheels alone are
//! resolved, under the guard, and every file is judged afterwards as it would be without. Where
//! the gateway cannot stand in for an index, pip reaches it directly.

use std::path::Path;
use std::sync::Arc;

use url::Url;

use crate::evidence::sources::Sources;
use crate::gateway::{Gateway, HOST, Judging, Prefetching, Refusal, Setup, WheelRanking};
use crate::http::settings::Proxy;
use crate::index::Index;
use crate::pip::command_line::arguments::{InstallArgs, Positionals};
use crate::pip::command_line::invocation::{Invocation, classify};
use crate::pip::run::{Captured, Environment};
use crate::resolve::direct::Direct;
use crate::resolve::resolution::{Prepared, Resolved, Unresolved};
use crate::resolve::session::Session;
use crate::shim::places::{in_words_of_the_user, place};

/// Options whose place the gateway takes.
const STOOD_IN_FOR: [&str; 3] = ["--index-url", "--extra-index-url", "--proxy"];

/// A gateway that pip resolves through, and what pip is told of it.
pub(super) struct Ahead<'a> {
    gateway: Gateway,
    arguments: InstallArgs,
    environment: Environment,
    prepared: &'a Prepared<'a>,
}

impl<'a> Ahead<'a> {
    /// Starts a gateway that keeps its files in `directory`, if it can stand in for every index of
    /// this run.
    pub(super) fn start(
        session: &Session<'_>,
        prepared: &'a Prepared<'a>,
        sources: &Sources,
        directory: &Path,
    ) -> Option<Self> {
        let lines = &prepared.files.lines;
        // A line of a file has the last word on where pip looks.
        let named_in_files = lines.index_url.is_some()
            || !lines.extra_index_urls.is_empty()
            || !lines.trusted_hosts.is_empty()
            || lines.no_index;
        let reachable = |url: &Url| matches!(url.scheme(), "http" | "https");
        let arguments = session.arguments;
        if named_in_files
            // pip is led by variables, and reads none then.
            || arguments.has("--isolated")
            || arguments.unknown()
            || arguments.abbreviated()
            || sources.indexes.is_empty()
            || !sources.indexes.iter().all(reachable)
            || (has_proxy(prepared) && reaches_out(arguments, prepared))
        {
            return None;
        }
        let (major, minor) = prepared.probe.facts.python.split_once('.')?;
        let python = (major.parse().ok()?, minor.parse().ok()?);
        let setup = Setup {
            client: Arc::clone(&sources.client),
            indexes: sources.indexes.clone(),
            directory: directory.to_owned(),
            pip_cache: prepared.settings.cache.clone(),
            judging: Judging::Later,
            prefetching: Prefetching::Enabled(WheelRanking { python }),
        };
        let gateway = Gateway::start(setup).ok()?;
        gateway.prefetch(&prepared.asked_for(arguments));
        let arguments = led(arguments, prepared)?;
        let environment = environment(prepared, &gateway.index_urls());
        Some(Self { gateway, arguments, environment, prepared })
    }

    /// Resolves; `index` learns what the gateway was told by the user's indexes. The gateway comes
    /// back for what it has fetched. Nothing where pip must be asked directly: the gateway could
    /// not find out something that pip perhaps can.
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
        // What pip found to be missing may lie behind a proxy that it was not told of.
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
                stdout: in_words_of_the_user(&self.gateway, self.prepared, &captured.stdout),
                stderr: in_words_of_the_user(&self.gateway, self.prepared, &captured.stderr),
                ..captured
            })),
            Err(error) => Err(error),
        })
    }
}

/// Whether the user gave pip a `--proxy`, which knows no exceptions and so is taken from a pip that
/// resolves through the gateway.
fn has_proxy(prepared: &Prepared<'_>) -> bool {
    matches!(prepared.settings.transport.proxy, Proxy::Url(_))
}

/// Whether pip reaches other machines besides its indexes, as far as the user's words tell.
fn reaches_out(arguments: &InstallArgs, prepared: &Prepared<'_>) -> bool {
    let is_url = |place: &String| Url::parse(place).is_ok_and(|url| url.scheme() != "file");
    let is_remote = |word: &String| Direct::parse(word).is_some_and(|place| place.is_remote());
    prepared.files.remote
        || prepared.settings.find_links.iter().any(is_url)
        || prepared.asked_for(arguments).iter().any(is_remote)
}

/// The user's command line without the options that say where to look and through which proxy.
fn led(arguments: &InstallArgs, prepared: &Prepared<'_>) -> Option<InstallArgs> {
    let mut argv = arguments.global_without(&STOOD_IN_FOR);
    argv.push(arguments.subcommand().word().into());
    if arguments.has("--proxy") || prepared.probe.configuration.get("proxy").is_some() {
        // The only way to take back what a configuration file says: pip passes over an empty
        // variable, and an empty option is no proxy. It may be the very one that the user gave.
        argv.push("--proxy=".into());
    }
    argv.extend(arguments.without(&STOOD_IN_FOR, Positionals::Keep));
    match classify(&argv) {
        Invocation::Install(arguments) => Some(arguments),
        _ => None,
    }
}

/// pip is led to the gateway by variables: a command line can be read by everybody on the machine.
fn environment(prepared: &Prepared<'_>, urls: &[String]) -> Environment {
    let mut set = vec![];
    let mut remove = vec!["PIP_PYPI_URL"];
    if let Some((first, others)) = urls.split_first() {
        set.push(("PIP_INDEX_URL".into(), first.into()));
        if !others.is_empty() {
            set.push(("PIP_EXTRA_INDEX_URL".into(), others.join(" ").into()));
        } else if prepared.probe.configuration.get("extra-index-url").is_some() {
            // It was the same index again; nothing empty would take it back.
            set.push(("PIP_EXTRA_INDEX_URL".into(), first.into()));
        } else {
            remove.push("PIP_EXTRA_INDEX_URL");
        }
    }
    let exceptions = prepared.settings.transport.exceptions_with(HOST);
    set.extend(exceptions.map(|(name, value)| (name.into(), value.into())));
    Environment { set, remove }
}
