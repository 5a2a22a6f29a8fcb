//! The paths that pip writes, or will delete later, for one wheel.
//!
//! Maps each member, command and row of RECORD to its place, as pip's
//! `operations/install/wheel.py` does for the scheme of the run:
//!
//! | in the wheel | place |
//! | --- | --- |
//! | `widget/core.py` | purelib and platlib, since only WHEEL tells which of them it is |
//! | `widget-1.0.data/scripts/run` | scripts, and so `purelib`, `platlib`, `headers`, `data` |
//! | a command of `entry_points.txt` | scripts |
//! | a row of RECORD that is no member | below purelib or platlib; pip deletes it on uninstall |
//!
//! Decides which names are out of the question in any wheel, and nothing about whose a place is.
//! Pure.

use std::collections::{BTreeSet, HashSet};

use crate::contents::archive::Member;
use crate::contents::record::{Row, Script};
use crate::package::name::PackageName;
use crate::pip::scheme::Scheme;

/// One path that belongs to a wheel once it is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The absolute path, without `.` and `..`.
    pub path: String,
    /// Where in the wheel the path comes from.
    pub origin: Origin,
}

/// The part of a wheel that a path comes from, and so its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The member at this place of the listing.
    Member(usize),
    /// A command of `entry_points.txt`.
    Script(Script),
    /// A row of RECORD that names no member.
    Row(Row),
}

/// A name by which a wheel leaves the directories that it is installed into.
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
        "line {} of its RECORD, `{}`, names a file outside of the wheel, which pip would delete \
         on the next upgrade",
        .0.line, .0.path.escape_debug()
    )]
    Row(Row),
}

/// What a wheel states: the parts that pip acts on.
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

/// The claims of a wheel under a scheme.
///
/// # Errors
/// A name leads out of the directories that the wheel is installed into, or means different paths
/// to different readers.
pub fn claims(stated: Stated<'_>, scheme: &Scheme) -> Result<Vec<Claim>, Outside> {
    let libraries: BTreeSet<&str> = [scheme.purelib.as_str(), &scheme.platlib].into();
    let mut claims = Vec::with_capacity(stated.members.len());
    for (number, member) in stated.members.iter().enumerate() {
        // pip makes no empty directories.
        if member.name.ends_with('/') {
            continue;
        }
        let path =
            normal(&member.name).map_err(|reason| Outside::Member(member.name.clone(), reason))?;
        let is_data = member.name.split('/').next().is_some_and(|top| top.ends_with(".data"));
        if is_data {
            if let Some(path) = data_path(&path, stated.name, scheme) {
                claims.push(Claim { path, origin: Origin::Member(number) });
            }
            continue;
        }
        for library in &libraries {
            claims.push(Claim { path: below(library, &path), origin: Origin::Member(number) });
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
    let listed: HashSet<&str> = stated.members.iter().map(|it| it.name.as_str()).collect();
    for row in stated.rows.iter().filter(|row| !listed.contains(row.path.as_str())) {
        for library in &libraries {
            match normal(&row.path) {
                Ok(path) => {
                    let path = below(library, &path);
                    claims.push(Claim { path, origin: Origin::Row(row.clone()) });
                }
                Err(_) if is_own(row, library, &claims) => {}
                Err(_) => return Err(Outside::Row(row.clone())),
            }
        }
    }
    Ok(claims)
}

/// A member's name as a relative path without empty parts and `.`.
///
/// # Errors
/// The name is absolute, has a `..` or a backslash in it, or names no file.
fn normal(name: &str) -> Result<String, &'static str> {
    if name.starts_with('/') {
        return Err("is an absolute path");
    }
    if name.contains('\\') {
        return Err("has a backslash in it, which separates directories on some systems");
    }
    let parts: Vec<_> = name.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    if parts.contains(&"..") {
        return Err("leads out of the directory that the wheel is unpacked into");
    }
    if parts.is_empty() {
        return Err("names no file");
    }
    Ok(parts.join("/"))
}

/// The place of `NAME-VERSION.data/KEY/PATH`. Returns `None` if pip ends with an error there: the
/// key is unknown, or no path follows.
fn data_path(path: &str, name: &PackageName, scheme: &Scheme) -> Option<String> {
    let mut parts = path.splitn(3, '/').skip(1);
    let (key, rest) = (parts.next()?, parts.next()?);
    let directory = match key {
        "purelib" => scheme.purelib.clone(),
        "platlib" => scheme.platlib.clone(),
        "headers" => scheme.headers.replace("{name}", name.as_str()),
        "scripts" => scheme.scripts.clone(),
        "data" => scheme.data.clone(),
        _ => return None,
    };
    Some(below(&directory, rest))
}

/// The names that a command may get: pip's script maker looks for a name within the text, so that
/// the last word of one with blanks counts as well.
fn command_names(name: &str) -> BTreeSet<&str> {
    [name, name.rsplit(char::is_whitespace).next().unwrap_or(name)].into()
}

/// Whether a row that leads out of its directory names what the wheel itself installs there, as
/// `../../../bin/run` does.
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
