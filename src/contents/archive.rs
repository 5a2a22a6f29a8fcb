//! Reads the central directory of a wheel's zip archive, strictly.
//!
//! pip unpacks a wheel with Python's `zipfile`. If two programs found different directories in one
//! file, a wheel could show one listing here and another to pip. So an archive is read only if its
//! directory is where every program looks: directly before the end record, which is the last record
//! of the file, with no bytes in front of the archive. Member names are taken from the central
//! directory, as in `zipfile`. Reads listings and single members within limits; must not know the
//! meaning of a member.

use std::io::{self, Read, Seek, SeekFrom};

use flate2::Crc;
use flate2::read::DeflateDecoder;

/// Maximum number of members of one wheel. The largest known wheels have some 30,000.
pub const MAX_MEMBERS: usize = 100_000;
/// Maximum size of a central directory, in bytes.
pub const MAX_DIRECTORY: u64 = 64 * 1024 * 1024;
/// Maximum unpacked size of all members of one wheel, in bytes. The largest known wheels unpack to
/// less than a tenth of this.
pub const MAX_UNPACKED: u64 = 64 * 1024 * 1024 * 1024;

/// The end of central directory record (APPNOTE 4.3.16): its signature and length.
const END: (u32, u64) = (0x0605_4b50, 22);
/// The zip64 end of central directory locator (APPNOTE 4.3.15).
const LOCATOR: (u32, u64) = (0x0706_4b50, 20);
/// The zip64 end of central directory record without extensible data (APPNOTE 4.3.14).
const END_64: (u32, u64) = (0x0606_4b50, 56);
/// A file header of the central directory (APPNOTE 4.3.12).
const CENTRAL: (u32, usize) = (0x0201_4b50, 46);
/// A local file header (APPNOTE 4.3.7).
const LOCAL: (u32, usize) = (0x0403_4b50, 30);
/// Maximum length of an archive's comment, in bytes.
const MAX_COMMENT: u64 = 65_535;
/// The general purpose flag for a name in UTF-8 (APPNOTE 4.4.4, bit 11).
const UTF8: u16 = 1 << 11;
/// The extra field of zip64 sizes (APPNOTE 4.5.3).
const EXTRA_ZIP64: u16 = 0x0001;
/// The extra field with another name for a member (Info-ZIP Unicode Path, APPNOTE 4.6.9). Newer
/// Pythons use that name, older ones ignore it.
const EXTRA_NAME: u16 = 0x7075;

/// One member of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The name, as `zipfile` decodes it: UTF-8 if the flag is set, else code page 437.
    pub name: String,
    /// The size of the unpacked content, in bytes.
    pub size: u64,
    /// The CRC-32 of the unpacked content.
    pub crc: u32,
    raw_name: Vec<u8>,
    packed: u64,
    method: u16,
    offset: u64,
}

/// Reasons why an archive is refused.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// The file has no end record, so that no program reads it as an archive.
    #[error("is not a zip archive")]
    NotAnArchive,
    /// The archive is damaged, or programs would read it differently.
    #[error("is not a plain zip archive: {0}")]
    Malformed(&'static str),
    /// Programs would read a member's name differently.
    #[error("has a member whose name {reason}: {name}", name = .0.escape_debug(), reason = .1)]
    Name(String, &'static str),
    /// The archive exceeds a limit.
    #[error("exceeds a bound: {0}")]
    Bound(&'static str),
}

/// Reads the central directory.
///
/// # Errors
/// The file cannot be read, programs would read the archive differently, or it exceeds a limit.
pub fn members(file: &mut (impl Read + Seek)) -> Result<Vec<Member>, ArchiveError> {
    let (start, length) = directory(file)?;
    if length > MAX_DIRECTORY {
        return Err(ArchiveError::Bound("its central directory is larger than 64 MiB"));
    }
    let bytes = read_at(file, start, length)?;
    let (mut rest, mut members) = (Bytes(&bytes), Vec::new());
    while !rest.0.is_empty() {
        if members.len() == MAX_MEMBERS {
            return Err(ArchiveError::Bound("it has more than 100,000 members"));
        }
        members.push(member(&mut rest)?);
    }
    let unpacked = members.iter().try_fold(0_u64, |sum, it| sum.checked_add(it.size));
    if unpacked.is_none_or(|unpacked| unpacked > MAX_UNPACKED) {
        return Err(ArchiveError::Bound("its members unpack to more than 64 GiB"));
    }
    apart(&members, start)?;
    Ok(members)
}

/// Reads the content of one member.
///
/// # Errors
/// The file cannot be read, the member differs from its entry in the directory, its content is
/// larger than `limit` bytes, or its compression is neither stored nor deflate.
pub fn content(
    file: &mut (impl Read + Seek),
    member: &Member,
    limit: u64,
) -> Result<Vec<u8>, ArchiveError> {
    if member.size > limit {
        return Err(ArchiveError::Bound("a member that is read is too large"));
    }
    let mut bytes = Vec::new();
    unpacked(file, member)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Returns the unpacked content of a member as a stream. The stream fails at its end if size or
/// checksum differ from those in the directory: `zipfile` stops at the stated size.
///
/// # Errors
/// As [`content`], except for the limit.
pub fn unpacked<'a, F: Read + Seek>(
    file: &'a mut F,
    member: &Member,
) -> Result<Box<dyn Read + 'a>, ArchiveError> {
    let header = read_at(file, member.offset, LOCAL.1 as u64)?;
    let mut header = Bytes(&header);
    if header.u32()? != LOCAL.0 {
        return Err(ArchiveError::Malformed("a member is not where the directory says"));
    }
    header.skip(22)?;
    let (name, extra) = (header.u16()?, header.u16()?);
    let mut stated = vec![0; usize::from(name)];
    file.read_exact(&mut stated)?;
    if stated != member.raw_name {
        return Err(ArchiveError::Malformed("a member has two names"));
    }
    file.seek(SeekFrom::Current(i64::from(extra)))?;
    let packed = file.take(member.packed);
    let unpacked: Box<dyn Read + 'a> = match member.method {
        0 => Box::new(packed),
        8 => Box::new(DeflateDecoder::new(packed)),
        _ => return Err(ArchiveError::Malformed("a member is packed by an unusual method")),
    };
    Ok(Box::new(Checked { unpacked, crc: Crc::new(), left: member.size, stated: member.crc }))
}

/// Content that is compared with its stated size and checksum.
struct Checked<R> {
    unpacked: R,
    crc: Crc,
    /// Number of bytes that are still missing.
    left: u64,
    stated: u32,
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.unpacked.read(buffer)?;
        let wrong = || io::Error::other("a member has another size or checksum than stated");
        self.left = self.left.checked_sub(count as u64).ok_or_else(wrong)?;
        self.crc.update(buffer.get(..count).unwrap_or_default());
        let is_end = count == 0 && !buffer.is_empty();
        if is_end && (self.left > 0 || self.crc.sum() != self.stated) {
            return Err(wrong());
        }
        Ok(count)
    }
}

/// Returns the offset of the central directory, and its length.
fn directory(file: &mut (impl Read + Seek)) -> Result<(u64, u64), ArchiveError> {
    let length = file.seek(SeekFrom::End(0))?;
    let end = end_record(file, length)?;
    let record = read_at(file, end, END.1)?;
    let mut record = Bytes(&record);
    record.skip(12)?;
    let (mut size, mut offset) = (u64::from(record.u32()?), u64::from(record.u32()?));
    let mut begins = end;
    if let Some(at) = end.checked_sub(LOCATOR.1 + END_64.1) {
        let records = read_at(file, at, END_64.1 + LOCATOR.1)?;
        let mut records = Bytes(&records);
        let is_record = records.u32()? == END_64.0;
        let rest = records.u64()?;
        records.skip(28)?;
        let (size_64, offset_64) = (records.u64()?, records.u64()?);
        if records.u32()? == LOCATOR.0 {
            records.skip(4)?;
            // `zipfile` reads the record directly before the locator, other programs read it at the
            // offset that the locator states. Both must be the same.
            if !is_record || rest != END_64.1 - 12 || records.u64()? != at {
                return Err(ArchiveError::Malformed("its zip64 end record is not in its place"));
            }
            (size, offset, begins) = (size_64, offset_64, at);
        }
    }
    // Bytes in front of the archive would shift the directory, and programs correct such a shift
    // differently.
    if offset.checked_add(size) != Some(begins) {
        return Err(ArchiveError::Malformed("its directory is not directly before its end"));
    }
    Ok((offset, size))
}

/// Returns the offset of the end record, which must be followed only by the comment that it states.
fn end_record(file: &mut (impl Read + Seek), length: u64) -> Result<u64, ArchiveError> {
    let tail = length.min(END.1 + MAX_COMMENT);
    let start = length - tail;
    let bytes = read_at(file, start, tail)?;
    let signature = END.0.to_le_bytes();
    let found = bytes.windows(signature.len()).rposition(|window| window == signature);
    let found = found.ok_or(ArchiveError::NotAnArchive)?;
    let mut record = Bytes(bytes.get(found..).unwrap_or_default());
    record.skip(20)?;
    let comment = usize::from(record.u16()?);
    if record.0.len() != comment {
        return Err(ArchiveError::Malformed("bytes follow its end record"));
    }
    Ok(start + found as u64)
}

/// Reads one header of the central directory.
fn member(rest: &mut Bytes<'_>) -> Result<Member, ArchiveError> {
    if rest.0.len() < CENTRAL.1 || rest.u32()? != CENTRAL.0 {
        return Err(ArchiveError::Malformed("its directory is damaged"));
    }
    rest.skip(4)?;
    let (flags, method) = (rest.u16()?, rest.u16()?);
    rest.skip(4)?;
    let (crc, packed, size) = (rest.u32()?, rest.u32()?, rest.u32()?);
    let (name, extra, comment) = (rest.u16()?, rest.u16()?, rest.u16()?);
    rest.skip(8)?;
    let offset = rest.u32()?;
    let raw_name = rest.take(usize::from(name))?.to_vec();
    let extra = rest.take(usize::from(extra))?;
    rest.take(usize::from(comment))?;
    let mut member = Member {
        name: decoded(&raw_name, flags)?,
        size: u64::from(size),
        crc,
        raw_name,
        packed: u64::from(packed),
        method,
        offset: u64::from(offset),
    };
    extra_fields(&mut member, Bytes(extra))?;
    Ok(member)
}

fn extra_fields(member: &mut Member, mut fields: Bytes<'_>) -> Result<(), ArchiveError> {
    let large = u64::from(u32::MAX);
    while fields.0.len() >= 4 {
        let (kind, length) = (fields.u16()?, fields.u16()?);
        let mut field = Bytes(fields.take(usize::from(length))?);
        match kind {
            EXTRA_ZIP64 => {
                for value in [&mut member.size, &mut member.packed, &mut member.offset] {
                    if *value == large {
                        *value = field.u64()?;
                    }
                }
            }
            EXTRA_NAME => {
                return Err(ArchiveError::Name(member.name.clone(), "is stated twice"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The letters of code page 437 from 0x80 on, as `zipfile` decodes names without the UTF-8 flag.
const CODE_PAGE: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐\
                         └┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// Decodes a member's name.
fn decoded(raw: &[u8], flags: u16) -> Result<String, ArchiveError> {
    let text = if flags & UTF8 == 0 {
        let letter = |byte: &u8| match byte.checked_sub(0x80) {
            None => Some(char::from(*byte)),
            Some(at) => CODE_PAGE.chars().nth(usize::from(at)),
        };
        raw.iter().filter_map(letter).collect()
    } else {
        let error = |_| {
            let lossy = String::from_utf8_lossy(raw).into_owned();
            ArchiveError::Name(lossy, "is not UTF-8")
        };
        String::from_utf8(raw.to_vec()).map_err(error)?
    };
    // `zipfile` cuts a name at a NUL; the others end a line where pip reads RECORD.
    let is_bad = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    if text.chars().any(is_bad) {
        return Err(ArchiveError::Name(text, "holds a control character"));
    }
    Ok(text)
}

/// Checks that no member overlaps another one or the directory. With overlaps, a few bytes could
/// unpack to a very large content.
fn apart(members: &[Member], directory: u64) -> Result<(), ArchiveError> {
    let mut places: Vec<(u64, u64)> = members
        .iter()
        .map(|member| {
            let header = LOCAL.1 as u64 + member.raw_name.len() as u64;
            (member.offset, member.offset.saturating_add(header).saturating_add(member.packed))
        })
        .collect();
    places.sort_unstable();
    let ends = places.iter().map(|(_, end)| *end);
    let begins = places.iter().skip(1).map(|(begin, _)| *begin).chain([directory]);
    if begins.zip(ends).any(|(begin, end)| begin < end) {
        return Err(ArchiveError::Malformed("its members overlap"));
    }
    Ok(())
}

fn read_at(file: &mut (impl Read + Seek), at: u64, length: u64) -> Result<Vec<u8>, ArchiveError> {
    file.seek(SeekFrom::Start(at))?;
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes)?;
    if bytes.len() as u64 == length {
        Ok(bytes)
    } else {
        Err(ArchiveError::Malformed("it is cut short"))
    }
}

/// Reads bytes from the front, with numbers in little-endian order.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], ArchiveError> {
        let short = ArchiveError::Malformed("its directory is cut short");
        let (taken, rest) = self.0.split_at_checked(count).ok_or(short)?;
        self.0 = rest;
        Ok(taken)
    }

    fn skip(&mut self, count: usize) -> Result<(), ArchiveError> {
        self.take(count).map(drop)
    }

    fn number(&mut self, count: usize) -> Result<u64, ArchiveError> {
        let bytes = self.take(count)?;
        Ok(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn u16(&mut self) -> Result<u16, ArchiveError> {
        Ok(u16::try_from(self.number(2)?).unwrap_or(u16::MAX))
    }

    fn u32(&mut self) -> Result<u32, ArchiveError> {
        Ok(u32::try_from(self.number(4)?).unwrap_or(u32::MAX))
    }

    fn u64(&mut self) -> Result<u64, ArchiveError> {
        self.number(8)
    }
}
