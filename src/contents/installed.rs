//! The files of projects that are installed already, as listed in their RECORD or
//! `installed-files.txt`.
//!
//! Reads the same rows as pip does when it uninstalls: every row counts, also one outside of its
//! directory. Must not change the disk.

use std::path::{Path, PathBuf};

use crate::contents::ground::project_of_metadata;
use crate::contents::record::Row;
use crate::package::name::PackageName;

/// Maximum size of an installed project's RECORD, in bytes.
const MAX_RECORD: u64 = 64 * 1024 * 1024;

/// An installed project and its metadata directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct InstalledProject {
    /// The project.
    pub(super) name: PackageName,
    /// The `.dist-info` or `.egg-info` directory.
    pub(super) metadata: PathBuf,
}

/// A file of an installed project.
#[derive(Clone)]
pub(super) struct InstalledFile {
    /// The absolute path, without `.` and `..`.
    pub(super) path: String,
    /// The row of RECORD.
    pub(super) row: Row,
}

/// Returns the projects whose metadata is in these directories of packages.
pub(super) fn projects<'a>(libraries: impl IntoIterator<Item = &'a str>) -> Vec<InstalledProject> {
    let entries = libraries.into_iter().filter_map(|library| std::fs::read_dir(library).ok());
    let project = |entry: std::fs::DirEntry| {
        let entry_name = entry.file_name();
        let text = entry_name.to_str()?;
        Some(InstalledProject { name: project_of_metadata(text)?, metadata: entry.path() })
    };
    entries.flatten().filter_map(Result::ok).filter_map(project).collect()
}

impl InstalledProject {
    /// Returns the files of the project. Returns none if its lists are missing or not readable,
    /// since pip then removes none.
    pub(super) fn files(&self) -> Vec<InstalledFile> {
        let Some(library) = self.metadata.parent() else { return Vec::new() };
        // `.egg-info` metadata has a list of its own, with paths relative to the metadata
        // directory.
        let record = self.listed("RECORD", library);
        let older = self.listed("installed-files.txt", &self.metadata);
        [record, older].concat()
    }

    /// The paths that pip deletes when it uninstalls the project: its files, and in the directory
    /// of commands those that its entry points and its `scripts` directory name.
    pub(super) fn removed(&self, scripts: &str) -> Vec<InstalledFile> {
        let at = Path::new(scripts);
        let mut removed = self.files();
        let entries = std::fs::read_dir(self.metadata.join("scripts")).into_iter().flatten();
        for entry in entries.filter_map(Result::ok) {
            let name = entry.file_name().to_string_lossy().into_owned();
            removed
                .push(InstalledFile { path: joined(at, &name), row: Row { line: 0, path: name } });
        }
        let mut is_commands = false;
        for (line, text) in self.lines("entry_points.txt") {
            let text = text.trim();
            if text.starts_with('[') && text.ends_with(']') {
                is_commands = false;
            }
            is_commands |= text.contains("console_scripts") || text.contains("gui_scripts");
            let Some((name, _)) = text.split_once('=').filter(|_| is_commands) else { continue };
            let path = name.trim().to_owned();
            removed.push(InstalledFile { path: joined(at, &path), row: Row { line, path } });
        }
        removed
    }

    /// The paths in the first column of a file of metadata, from a directory.
    fn listed(&self, name: &str, from: &Path) -> Vec<InstalledFile> {
        let rows = self.lines(name).into_iter().map(|(line, text)| {
            let path = match text.strip_prefix('"') {
                Some(quoted) => quoted.split('"').next().unwrap_or_default(),
                None => text.split(',').next().unwrap_or_default(),
            };
            Row { line, path: path.to_owned() }
        });
        let rows = rows.filter(|row| !row.path.is_empty());
        rows.map(|row| InstalledFile { path: joined(from, &row.path), row }).collect()
    }

    /// The lines of a file of metadata, by every line end that `str.splitlines()` knows: an
    /// installed file cannot be refused for being odd, so that all its readings count.
    fn lines(&self, name: &str) -> Vec<(usize, String)> {
        let path = self.metadata.join(name);
        let is_small = path.metadata().is_ok_and(|it| it.is_file() && it.len() <= MAX_RECORD);
        let bytes = if is_small { std::fs::read(&path).unwrap_or_default() } else { Vec::new() };
        let text = String::from_utf8_lossy(&bytes);
        let is_end = |c: char| {
            matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}')
                || matches!(c, '\u{2028}' | '\u{2029}')
        };
        (1..).zip(text.split(is_end).map(str::to_owned)).collect()
    }
}

/// Joins the path of a row to the directory of packages, without `.` and `..`.
fn joined(library: &Path, row: &str) -> String {
    let mut parts: Vec<String> = Vec::new();
    let whole = library.join(row);
    for part in whole.to_string_lossy().split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part.to_owned()),
        }
    }
    format!("/{}", parts.join("/"))
}
