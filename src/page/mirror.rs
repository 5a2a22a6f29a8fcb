//! The page of a project with every file at another place.
//!
//! Owns what a mirror of a page keeps and what not: everything that an installer reads of a file
//! stays, its URL is replaced, the link to its provenance is left out. The page is written anew
//! from what was read, so that whoever reads the mirror understands it as [`Page`] does.

use html5gum::StartTag;
use serde_json::{Map, Value};
use url::Url;

use super::html::for_each;
use super::{Format, Page, PageError};

/// Hash algorithms in the order in which a mirror states them: pip locks with the first.
const BEST_FIRST: [&str; 4] = ["sha256", "sha512", "sha384", "sha224"];

/// What says that METADATA stands beside a file (PEP 658, PEP 714), in JSON; in HTML with `data-`
/// before it.
const METADATA: [&str; 3] = ["core-metadata", "dist-info-metadata", "data-dist-info-metadata"];

/// What becomes of the METADATA beside files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beside {
    /// The mirror offers it.
    Kept,
    /// The mirror says nothing of it: whoever wants METADATA reads the file.
    LeftOut,
}

/// A page and its mirror.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirrored {
    /// What the page says.
    pub page: Page,
    /// The `Content-Type` of [`Self::body`].
    pub content_type: String,
    /// The same page with other links, in the format of the original.
    pub body: Vec<u8>,
}

impl Page {
    /// Reads a page as [`Self::parse`] does and writes its mirror, in which the file of each name
    /// is at `link(name)`, followed by the fragment of the original link, and METADATA is
    /// `beside` it or not.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn mirror(
        content_type: &str,
        base: &Url,
        bytes: &[u8],
        beside: Beside,
        link: &dyn Fn(&str) -> String,
    ) -> Result<Mirrored, PageError> {
        let page = Self::parse(content_type, base, bytes)?;
        let media_type = content_type.split(';').next().unwrap_or_default().trim().to_lowercase();
        let (content_type, body) = match Format::of(content_type)? {
            Format::Json => (media_type, json(base, bytes, beside, link)?),
            Format::Html => {
                (format!("{media_type}; charset=utf-8"), html(base, bytes, beside, link)?)
            }
        };
        Ok(Mirrored { page, content_type, body })
    }
}

/// `link(filename)` with the fragment of `href`.
fn moved(base: &Url, href: &str, filename: &str, link: &dyn Fn(&str) -> String) -> String {
    let url = base.join(href).ok();
    let fragment = url.as_ref().and_then(Url::fragment).map(|fragment| format!("#{fragment}"));
    link(filename) + &fragment.unwrap_or_default()
}

fn json(
    base: &Url,
    bytes: &[u8],
    beside: Beside,
    link: &dyn Fn(&str) -> String,
) -> Result<Vec<u8>, PageError> {
    let no = |error: serde_json::Error| PageError::Json(error.to_string());
    let mut document: Map<String, Value> = serde_json::from_slice(bytes).map_err(no)?;
    let files = match document.remove("files") {
        Some(Value::Array(files)) => files,
        _ => Vec::new(),
    };
    let mut out = Vec::with_capacity(bytes.len());
    out.push(b'{');
    for (key, value) in &document {
        member(&mut out, key, value).map_err(no)?;
        out.push(b',');
    }
    out.extend_from_slice(b"\"files\":[");
    for (at, file) in files.into_iter().enumerate() {
        let Value::Object(mut file) = file else { continue };
        let text = |file: &Map<String, Value>, key| {
            file.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let url = moved(base, &text(&file, "url"), &text(&file, "filename"), link);
        file.insert("url".to_owned(), Value::String(url));
        file.remove("provenance");
        if beside == Beside::LeftOut {
            METADATA.iter().for_each(|key| drop(file.remove(*key)));
        }
        out.extend_from_slice(if at > 0 { b",{" } else { b"{" });
        let hashes = match file.remove("hashes") {
            Some(Value::Object(hashes)) => hashes,
            _ => Map::new(),
        };
        for (key, value) in &file {
            member(&mut out, key, value).map_err(no)?;
            out.push(b',');
        }
        out.extend_from_slice(b"\"hashes\":{");
        let known = BEST_FIRST.iter().filter_map(|name| hashes.get_key_value(*name));
        let rest = hashes.iter().filter(|(name, _)| !BEST_FIRST.contains(&name.as_str()));
        for (at, (name, digits)) in known.chain(rest).enumerate() {
            out.extend_from_slice(if at > 0 { b"," } else { b"" });
            member(&mut out, name, digits).map_err(no)?;
        }
        out.extend_from_slice(b"}}");
    }
    out.extend_from_slice(b"]}");
    Ok(out)
}

/// `"key":value`
fn member(out: &mut Vec<u8>, key: &str, value: &Value) -> Result<(), serde_json::Error> {
    serde_json::to_writer(&mut *out, key)?;
    out.push(b':');
    serde_json::to_writer(out, value)
}

fn html(
    base: &Url,
    bytes: &[u8],
    beside: Beside,
    link: &dyn Fn(&str) -> String,
) -> Result<Vec<u8>, PageError> {
    let mut out = String::from("<!DOCTYPE html>\n<html><body>\n");
    for_each(base, bytes, |base, tag, entry| {
        let url = moved(base, &entry.href, &entry.filename, link);
        out += &format!("<a href=\"{}\"", escape(&url));
        attributes(&mut out, tag, beside);
        out += &format!(">{}</a><br>\n", escape(&entry.filename));
        Ok(())
    })?;
    Ok((out + "</body></html>\n").into_bytes())
}

/// Every attribute but those that are replaced or left out.
fn attributes(out: &mut String, tag: &StartTag<()>, beside: Beside) {
    for (name, value) in &tag.attributes {
        let name = String::from_utf8_lossy(name);
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if matches!(&*name, "href" | "data-provenance") || !name.chars().all(plain) {
            continue;
        }
        let is_metadata = name.strip_prefix("data-").is_some_and(|key| METADATA.contains(&key));
        if is_metadata && beside == Beside::LeftOut {
            continue;
        }
        let value = String::from_utf8_lossy(value);
        // Without a value it says nothing; an empty one would say that there is a file.
        if value.is_empty() && name.ends_with("-metadata") {
            continue;
        }
        *out += &format!(" {name}=\"{}\"", escape(&value));
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
