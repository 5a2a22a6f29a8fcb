//! Notes about a resolved set: yanked releases, and newer releases that pip passed over.
//!
//! Owns when a note is printed. The notes are computed from index pages and pip's report. They must
//! not be read from pip's printed output, because an index can influence that output.

use std::sync::Arc;

use crate::index::newer::{admitted, newer_source};
use crate::index::page::Page;
use crate::package::lock::{Entry, File, Lock, Requested, Source};
use crate::package::name::PackageName;
use crate::resolve::resolution::Prepared;
use crate::resolve::session::Session;
use crate::resolve::steps;

/// The resolved set that the notes are about.
pub(super) struct Notes<'a> {
    pub(super) session: &'a Session<'a>,
    pub(super) prepared: &'a Prepared<'a>,
    pub(super) lock: &'a Lock,
    /// Returns the pages of a project that were read in this run.
    pub(super) pages: &'a dyn Fn(&PackageName) -> Vec<Arc<Page>>,
}

/// Number of `-q` options from which on pip prints no warnings.
const NO_WARNINGS: usize = 2;

impl Notes<'_> {
    /// Prints a warning for each file that its index has yanked (PEP 592). The pip that installs
    /// has no index, so it cannot warn.
    pub(super) fn tell_of_yanked(&self) {
        if self.quiet() >= NO_WARNINGS {
            return;
        }
        for entry in &self.lock.entries {
            let Source::Files(files) = &entry.source else { continue };
            let pages = (self.pages)(&entry.name);
            let Some(reason) = yanked(entry, files, &pages) else { continue };
            let why = if reason.is_empty() { String::new() } else { format!(": {reason}") };
            self.session.report.warn(&format!("{} is yanked{why}", entry.title()));
        }
    }

    /// Prints a line for each requested project that has a newer release only as a source archive.
    pub(super) fn tell_of_passed_over(&self) {
        self.passed_over().iter().for_each(|line| self.session.report.news(line));
    }

    /// Returns the lines that [`Self::tell_of_passed_over`] prints.
    pub(super) fn passed_over(&self) -> Vec<String> {
        let (arguments, prepared) = (self.session.arguments, self.prepared);
        let options = &prepared.probe.options;
        if steps::is_for_another_platform(options) || options.is_set("--only-binary") {
            return Vec::new();
        }
        let mut asked = prepared.asked_for(arguments);
        asked.extend(prepared.files.constraints.iter().cloned());
        let python = &prepared.probe.facts.python;
        let note = |entry: &Entry| {
            let chosen = entry.version.as_deref()?.parse().ok()?;
            let newer = (self.pages)(&entry.name)
                .into_iter()
                .filter_map(|page| newer_source(page.files(), &entry.name, &chosen, python));
            let newer = newer.max().filter(|newer| admitted(&asked, &entry.name, newer))?;
            let name = &entry.name;
            let done = if self.session.locks() { "locked" } else { "installed" };
            let text = "is newer, but has only a source archive;";
            Some(format!("note: {name} {newer} {text} {done} {chosen}"))
        };
        let entries = self.lock.entries.iter().filter(|it| it.requested != Requested::No);
        entries.filter_map(note).collect()
    }

    /// Returns the number of `-q` options in effect.
    fn quiet(&self) -> usize {
        self.prepared.probe.options.count("--quiet")
    }
}

/// Marks the entries of the lock whose files are yanked, by the pages that were fetched.
pub(super) fn with_yanks(mut lock: Lock, pages: &dyn Fn(&PackageName) -> Vec<Arc<Page>>) -> Lock {
    for entry in &mut lock.entries {
        entry.yanked = match &entry.source {
            Source::Files(files) => yanked(entry, files, &pages(&entry.name)).is_some(),
            _ => entry.yanked,
        };
    }
    lock
}

/// Returns the reason for which a file of an entry is yanked, empty if none is stated. Returns
/// `None` if neither the pages nor pip's report say that it is yanked.
fn yanked(entry: &Entry, files: &[File], pages: &[Arc<Page>]) -> Option<String> {
    let stated = files.iter().find_map(|file| {
        let url = file.place.url()?;
        let of_page = |page: &Arc<Page>| {
            let listed = page.file(file.filename.as_str(), url).ok()??;
            listed.yanked.clone()
        };
        pages.iter().find_map(of_page)
    });
    stated.or_else(|| entry.yanked.then(String::new))
}
