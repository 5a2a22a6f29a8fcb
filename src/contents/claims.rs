//! The paths that pip writes for one wheel, or will delete later.
//!
//! Maps each member, command and row of RECORD to a path, as pip's `operations/install/wheel.py`
//! does with the scheme of the run:
//!
//! | in the wheel | path |
//! | --- | --- |
//! | `widget/core.py` | purelib and platlib, since only WHEEL states which of them applies |
//! | `widget-1.0.data/scripts/run` | scripts, and so `purelib`, `platlib`, `headers`, `data` |
//! | a command of `entry_points.txt` | scripts |
//! | a row of RECORD that is not a member | the wheel's own metadata, byte code or command alone |
//!
//! pip deletes every path of RECORD when it uninstalls, a directory with its whole content. So a
//! row is accepted only if it names a member, or a file that an installer creates for the wheel
//! itself.
//!
//! Refuses names that no wheel may contain. Must not decide which project owns a path. Pure.

use std::collections::{BTreeSet, HashSet};

use crate::contents::archive::Member;
use crate::contents::record::{Row, Script};
use crate::package::name::PackageName;
use crate::pip::scheme::Scheme;

/// One path that an installed wheel owns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The absolute path, without `.` and `..`.
    pub path: String,
    /// The part of the wheel that the path comes from.
    pub origin: Origin,
}

/// The part of a wheel that a path comes from, which determines its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The member with this index in the listing.
    Member(usize),
    /// A command of `entry_points.txt`.
    Script(Script),
    /// A row of RECORD that is not a member.
    Row(Row),
}

/// A name that leads out of the directories that a wheel is installed into.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Outside {
    /// A member.
    #[error("its member `{name}` {reason}", name = .0.escape_debug(), reason = .1)]
    Member(String, &'static str),
    /// A command.
    #[error("its command `{}` is not a plain file name", .0.escape_debug())]
    Script(String),
    /// A row of RECORD.
    #[error(
        "line {} of its RECORD, `{}`, names a file that the wheel does not bring, which pip would \
         delete on the next upgrade",
        .0.line, .0.path.escape_debug()
    )]
    Row(Row),
}

/// The parts of a wheel that pip acts on.
#[derive(Debug, Clone, Copy)]
pub struct Stated<'a> {
    /// The project.
    pub name: &'a PackageName,
    /// The members, in the order of the central directory.
    pub members: &'a [Member],
    /// The rows of RECORD.
    pub rows: &'a [Row],
    /// The commands of `entry_points.txt`.
    pub scripts: &'a [Script],
}

/// Returns the paths of a wheel under a scheme.
///
/// # Errors
/// A name leads out of the directories that the wheel is installed into, programs would read it as
/// different paths, or it makes pip write or delete more than the member itself.
pub fn claims(stated: Stated<'_>, scheme: &Scheme) -> Result<Vec<Claim>, Outside> {
    let libraries: BTreeSet<&str> = [scheme.purelib.as_str(), &scheme.platlib].into();
    let mut claims = Vec::with_capacity(stated.members.len());
    for (number, member) in stated.members.iter().enumerate() {
        let wrong = |reason| Outside::Member(member.name.clone(), reason);
        if let Some(directory) = member.name.strip_suffix('/') {
            // pip creates no empty directories. Some programs read a directory with content as a
            // file.
            normal(directory).map_err(wrong)?;
            if member.size > 0 {
                return Err(wrong("is a directory with content"));
            }
            continue;
        }
        normal(&member.name).map_err(wrong)?;
        let (top, rest) = member.name.split_once('/').unwrap_or((&member.name, ""));
        if top.ends_with(".data") {
            if let Some(path) = data_path(rest, stated.name, scheme) {
                if is_metadata(&path, &libraries) {
                    return Err(wrong("is metadata that pip would read in place of the wheel's"));
                }
                claims.push(Claim { path, origin: Origin::Member(number) });
            }
            continue;
        }
        // pip removes `scripts/NAME` of metadata from the directory of commands when it uninstalls,
        // and what the lists of older kinds of metadata name.
        if top.ends_with(".dist-info") && rest.starts_with("scripts/") {
            return Err(wrong("has pip delete the command of that name later"));
        }
        if top.ends_with(".egg-info") || top.ends_with(".egg-link") {
            return Err(wrong("is metadata of a kind that no wheel has"));
        }
        for library in &libraries {
            let path = below(library, &member.name);
            claims.push(Claim { path, origin: Origin::Member(number) });
        }
    }
    for script in stated.scripts {
        for name in command_names(&script.name) {
            let plain = normal(name).is_ok() && !name.contains('/');
            if !plain {
                return Err(Outside::Script(script.name.clone()));
            }
            let path = below(&scheme.scripts, name);
            claims.push(Claim { path, origin: Origin::Script(script.clone()) });
        }
    }
    rows(stated, &libraries, &mut claims)?;
    Ok(claims)
}

/// Adds the paths of rows that are not members.
fn rows(
    stated: Stated<'_>,
    libraries: &BTreeSet<&str>,
    claims: &mut Vec<Claim>,
) -> Result<(), Outside> {
    let files = stated.members.iter().map(|it| it.name.as_str()).filter(|it| !it.ends_with('/'));
    let listed: HashSet<&str> = files.collect();
    for row in stated.rows.iter().filter(|row| !listed.contains(row.path.as_str())) {
        let is_made = normal(&row.path).is_ok() && is_made_for(&row.path, stated.name, &listed);
        for library in libraries {
            if is_made {
                let path = below(library, &row.path);
                claims.push(Claim { path, origin: Origin::Row(row.clone()) });
            } else if !is_own(row, library, claims) {
                return Err(Outside::Row(row.clone()));
            }
        }
    }
    Ok(())
}

/// Returns whether an installer creates the file for this wheel: a file in the wheel's own metadata
/// directory, or the byte code of a member.
fn is_made_for(path: &str, name: &PackageName, listed: &HashSet<&str>) -> bool {
    let Some((directory, file)) = path.rsplit_once('/') else { return false };
    if let Some(stem) = directory.strip_suffix(".dist-info") {
        let project = stem.rsplit_once('-').map(|(project, _)| PackageName::parse(project));
        return project.is_some_and(|project| project.is_ok_and(|project| project == *name));
    }
    let source = byte_code_of(directory, file);
    source.is_some_and(|source| listed.contains(source.as_str()))
}

/// Returns the source of a file of byte code (PEP 3147): for `a/__pycache__/b.cpython-311.pyc`,
/// `a/b.py`. Returns `None` if the file is not byte code.
pub(super) fn byte_code_of(directory: &str, file: &str) -> Option<String> {
    let parent = directory.strip_suffix("__pycache__")?;
    let stem = file.strip_suffix(".pyc")?.split('.').next()?;
    Some(format!("{parent}{stem}.py"))
}

/// Returns whether a path is metadata, or is inside metadata, in one of the directories of
/// packages.
fn is_metadata(path: &str, libraries: &BTreeSet<&str>) -> bool {
    let rest = libraries.iter().find_map(|it| path.strip_prefix(it)?.strip_prefix('/'));
    let top = rest.and_then(|rest| rest.split('/').next()).unwrap_or_default();
    let top = top.to_lowercase();
    [".dist-info", ".egg-info", ".egg-link"].iter().any(|ending| top.ends_with(ending))
}

/// Checks that a member's name is a relative path in its one plain spelling: pip looks some members
/// up by the path that a name means, and others by the name.
///
/// # Errors
/// The name is absolute, or has an empty part, `.`, `..` or a backslash in it.
fn normal(name: &str) -> Result<(), &'static str> {
    if name.starts_with('/') {
        return Err("is an absolute path");
    }
    if name.contains('\\') {
        return Err("has a backslash in it, which separates directories on some systems");
    }
    if name.split('/').any(|part| part == "..") {
        return Err("leads out of the directory that the wheel is unpacked into");
    }
    if name.split('/').any(|part| matches!(part, "" | ".")) {
        return Err("is not in its plain spelling");
    }
    Ok(())
}

/// Returns the path of `KEY/PATH` in `NAME-VERSION.data`. Returns `None` if pip fails for this
/// member: the key is unknown, or the path is empty.
fn data_path(path: &str, name: &PackageName, scheme: &Scheme) -> Option<String> {
    let (key, rest) = path.split_once('/')?;
    let directory = match key {
        "purelib" => scheme.purelib.clone(),
        "platlib" => scheme.platlib.clone(),
        "headers" => scheme.headers.replace("{name}", name.as_str()),
        "scripts" => scheme.scripts.clone(),
        "data" => {
            let moved = rest.strip_prefix(&scheme.library_in_data);
            let moved = moved.filter(|_| !scheme.library_in_data.is_empty());
            match moved.and_then(|moved| moved.strip_prefix('/')) {
                Some(moved) => return Some(below(&scheme.purelib, moved)),
                None => scheme.data.clone(),
            }
        }
        _ => return None,
    };
    Some(below(&directory, rest))
}

/// Returns the names that a command may get. pip's script maker searches the text for a name, so
/// the last word of a name with blanks is possible too.
fn command_names(name: &str) -> BTreeSet<&str> {
    [name, name.rsplit(char::is_whitespace).next().unwrap_or(name)].into()
}

/// Returns whether a row outside of its directory is a path that the wheel itself installs, such as
/// `../../../bin/run`.
fn is_own(row: &Row, library: &str, claims: &[Claim]) -> bool {
    let mut parts: Vec<&str> = library.split('/').filter(|part| !part.is_empty()).collect();
    if row.path.starts_with('/') {
        parts.clear();
    }
    for part in row.path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let path = format!("/{}", parts.join("/"));
    claims.iter().any(|claim| claim.path == path && !matches!(claim.origin, Origin::Row(_)))
}

fn below(directory: &str, path: &str) -> String {
    format!("{}/{path}", directory.trim_end_matches('/'))
}
