//! Compact storage for the entries of a page.
//!
//! Owns the encoding. A struct for each entry would take ten times the memory of a page with many
//! small entries. Each entry is a sequence of parts, ended by `END`:
//!
//! ```text
//! part   = kind (1 byte) length (LEB128: 7 bits a byte, the lowest first) bytes
//! hash   = a part of kind HASH + i, where i is the position in ALGORITHMS; bytes are the digits
//! ```

use std::borrow::Cow;

/// Hash algorithms that are stored; the position in this list is part of the encoding.
pub(super) const ALGORITHMS: [&str; 4] = ["sha256", "sha384", "sha512", "md5"];

/// An entry of a page, before its parts are parsed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct PageEntry<'a> {
    pub(super) filename: Cow<'a, str>,
    pub(super) href: Cow<'a, str>,
    /// Hashes as (algorithm, digits), only of [`ALGORITHMS`], as are those of the METADATA.
    pub(super) hashes: Vec<(&'static str, Cow<'a, str>)>,
    pub(super) provenance: Option<Cow<'a, str>>,
    pub(super) yanked: Option<Cow<'a, str>>,
    pub(super) size: Option<u64>,
    pub(super) requires_python: Option<Cow<'a, str>>,
    pub(super) metadata: Option<Vec<(&'static str, Cow<'a, str>)>>,
    /// The page's entry for this file cannot be read, so that its other parts are unknown.
    pub(super) broken: bool,
}

/// Packed entries in order, in several buffers: a single growing buffer would take three times its
/// size while it is moved.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Packed(Vec<Vec<u8>>);

/// Maximum capacity of a buffer, in bytes, unless an entry is larger.
const BUFFER: usize = 256 * 1024;

const END: u8 = 0;
const FILENAME: u8 = 1;
const HREF: u8 = 2;
const PROVENANCE: u8 = 3;
const YANKED: u8 = 4;
const SIZE: u8 = 5;
const PYTHON: u8 = 6;
const METADATA: u8 = 7;
/// Kind of the first of [`ALGORITHMS`]; the others follow.
const HASH: u8 = 8;
const BROKEN: u8 = 12;
const _: () = assert!(HASH as usize + ALGORITHMS.len() <= BROKEN as usize, "kinds overlap");
/// Kind of a METADATA hash of the first of [`ALGORITHMS`]; the others follow.
const METADATA_HASH: u8 = 16;

impl Packed {
    /// Adds an entry.
    pub(super) fn push(&mut self, entry: &PageEntry<'_>) {
        let size = entry.size_at_most();
        let has_room = |last: &&mut Vec<u8>| last.capacity() - last.len() >= size;
        if let Some(last) = self.0.last_mut().filter(has_room) {
            return write(last, entry);
        }
        // The first buffers of a page are small, since most pages list few files.
        let used = self.0.iter().map(Vec::len).sum::<usize>();
        let mut next = Vec::with_capacity(size.max(used.min(BUFFER)));
        write(&mut next, entry);
        self.0.push(next);
    }

    /// Frees unused capacity.
    pub(super) fn shrink(&mut self) {
        self.0.shrink_to_fit();
        self.0.iter_mut().for_each(Vec::shrink_to_fit);
    }

    /// Returns the entries in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = PageEntry<'_>> {
        self.0.iter().flat_map(|buffer| {
            let mut rest = buffer.as_slice();
            std::iter::from_fn(move || entry(&mut rest))
        })
    }
}

impl PageEntry<'_> {
    /// Returns an upper bound of the entry's encoded size, in bytes.
    fn size_at_most(&self) -> usize {
        let texts = [&self.provenance, &self.yanked, &self.requires_python].into_iter().flatten();
        let hashes = self.hashes.iter().chain(self.metadata.iter().flatten());
        let own = [&self.filename, &self.href].into_iter();
        let all = own.chain(texts).chain(hashes.map(|(_, digits)| digits));
        // Kind and length of each part, and the fixed parts: size, METADATA, end.
        all.map(|text| 11 + text.len()).sum::<usize>() + 32
    }
}

fn write(out: &mut Vec<u8>, entry: &PageEntry<'_>) {
    part(out, FILENAME, entry.filename.as_bytes());
    part(out, HREF, entry.href.as_bytes());
    let texts = [
        (PROVENANCE, &entry.provenance),
        (YANKED, &entry.yanked),
        (PYTHON, &entry.requires_python),
    ];
    for (kind, text) in texts {
        text.iter().for_each(|text| part(out, kind, text.as_bytes()));
    }
    entry.size.iter().for_each(|size| part(out, SIZE, &size.to_le_bytes()));
    hashes(out, HASH, &entry.hashes);
    if let Some(metadata) = &entry.metadata {
        part(out, METADATA, &[]);
        hashes(out, METADATA_HASH, metadata);
    }
    if entry.broken {
        part(out, BROKEN, &[]);
    }
    out.push(END);
}

fn hashes(out: &mut Vec<u8>, first: u8, hashes: &[(&str, Cow<'_, str>)]) {
    for (algorithm, digits) in hashes {
        if let Some((kind, _)) = (first..).zip(ALGORITHMS).find(|(_, name)| name == algorithm) {
            part(out, kind, digits.as_bytes());
        }
    }
}

fn part(out: &mut Vec<u8>, kind: u8, bytes: &[u8]) {
    out.push(kind);
    // LEB128: seven bits a byte, the lowest first.
    let mut length = bytes.len();
    loop {
        let low = u8::try_from(length & 0x7f).unwrap_or_default();
        length >>= 7;
        out.push(if length > 0 { low | 0x80 } else { low });
        if length == 0 {
            break;
        }
    }
    out.extend_from_slice(bytes);
}

/// Decodes the next entry. Returns `None` at the end.
fn entry<'a>(rest: &mut &'a [u8]) -> Option<PageEntry<'a>> {
    let mut entry = PageEntry::default();
    loop {
        let (kind, after) = rest.split_first()?;
        *rest = after;
        if *kind == END {
            return Some(entry);
        }
        let bytes = bytes_of_part(rest)?;
        let text = || Cow::Borrowed(std::str::from_utf8(bytes).unwrap_or_default());
        let of = |first: u8| ALGORITHMS.get(usize::from(kind.checked_sub(first)?)).copied();
        match *kind {
            FILENAME => entry.filename = text(),
            HREF => entry.href = text(),
            PROVENANCE => entry.provenance = Some(text()),
            YANKED => entry.yanked = Some(text()),
            PYTHON => entry.requires_python = Some(text()),
            SIZE => entry.size = bytes.try_into().ok().map(u64::from_le_bytes),
            METADATA => entry.metadata = Some(Vec::new()),
            BROKEN => entry.broken = true,
            METADATA_HASH.. => {
                let hash = of(METADATA_HASH).map(|name| (name, text()));
                entry.metadata.get_or_insert_default().extend(hash);
            }
            _ => entry.hashes.extend(of(HASH).map(|name| (name, text()))),
        }
    }
}

/// Returns the bytes of a part whose kind has been read.
fn bytes_of_part<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (mut length, mut shift) = (0_usize, 0_u32);
    loop {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        length |= usize::from(byte & 0x7f).checked_shl(shift)?;
        shift += 7;
        if byte & 0x80 == 0 {
            break;
        }
    }
    let (bytes, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(bytes)
}
