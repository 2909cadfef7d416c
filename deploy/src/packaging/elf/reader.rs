//! Reads the headers of an ELF file, which may be damaged.

use super::{Glibc, Unfit};
use crate::config::Architecture;

/// Segment types, dynamic tags and flags, from elf(5) and the System V ABI.
mod number {
    pub(super) const PT_LOAD: u32 = 1;
    pub(super) const PT_DYNAMIC: u32 = 2;
    pub(super) const PT_INTERP: u32 = 3;
    pub(super) const DT_NULL: u64 = 0;
    pub(super) const DT_STRTAB: u64 = 5;
    pub(super) const DT_FLAGS_1: u64 = 0x6fff_fffb;
    pub(super) const DT_VERNEED: u64 = 0x6fff_fffe;
    pub(super) const DT_VERNEEDNUM: u64 = 0x6fff_ffff;
    pub(super) const DF_1_PIE: u64 = 0x0800_0000;
    pub(super) const VER_FLG_WEAK: u16 = 2;
}

/// A valid executable names a few dozen versions. The limit bounds the work for a damaged one.
const MAX_NAMES: usize = 10_000;

/// The parsed headers of an ELF file.
pub(super) struct Elf<'a> {
    file: &'a [u8],
    segments: Vec<Segment>,
}

struct Segment {
    kind: u32,
    offset: u64,
    address: u64,
    size: u64,
}

/// The entries of the dynamic section that are used here.
#[derive(Default)]
pub(super) struct Dynamic {
    strings: Option<u64>,
    needs: Option<u64>,
    need_count: u64,
    pub(super) is_pie: bool,
}

impl<'a> Elf<'a> {
    /// # Errors
    /// It is not an ELF file for 64-bit little-endian Linux.
    pub(super) fn open(file: &'a [u8]) -> Result<Self, Unfit> {
        if !file.starts_with(b"\x7fELF") {
            return Err(Unfit::NotElf { found: guess(file) });
        }
        match file.get(4..6) {
            Some([2, 1]) => {}
            Some([1, _]) => {
                let found = "a 32-bit ELF file";
                return Err(Unfit::NotElf { found });
            }
            Some([2, 2]) => {
                let found = "an ELF file for a big-endian processor";
                return Err(Unfit::NotElf { found });
            }
            _ => return Err(damaged("header")),
        }
        // System V, which compilers write for Linux, or explicitly Linux.
        if !matches!(file.get(7), Some(0 | 3)) {
            let found = "an ELF file for another operating system";
            return Err(Unfit::NotExecutable { found });
        }
        let mut elf = Self {
            file,
            segments: Vec::new(),
        };
        elf.segments = elf
            .program_headers()
            .ok_or_else(|| damaged("program headers"))?;
        Ok(elf)
    }

    fn program_headers(&self) -> Option<Vec<Segment>> {
        let table = self.u64(0, 32)?;
        let (size, count) = (u64::from(self.u16(0, 54)?), u64::from(self.u16(0, 56)?));
        (0..count)
            .map(|index| {
                let at = table.checked_add(index * size)?;
                Some(Segment {
                    kind: self.u32(at, 0)?,
                    offset: self.u64(at, 8)?,
                    address: self.u64(at, 16)?,
                    size: self.u64(at, 32)?,
                })
            })
            .collect()
    }

    pub(super) fn architecture(&self) -> Result<Architecture, Unfit> {
        match self.u16(0, 18).ok_or_else(|| damaged("header"))? {
            62 => Ok(Architecture::X86_64),
            183 => Ok(Architecture::Arm64),
            243 => Err(Unfit::Machine {
                found: "RISC-V".into(),
            }),
            other => Err(Unfit::Machine {
                found: format!("another processor (ELF machine {other})"),
            }),
        }
    }

    /// A position-independent executable has the type of a shared library; an interpreter or a flag distinguishes the
    /// two.
    pub(super) fn must_be_executable(
        &self,
        dynamic: &Dynamic,
        interpreter: Option<&[u8]>,
    ) -> Result<(), Unfit> {
        let found = match self.u16(0, 16).ok_or_else(|| damaged("header"))? {
            2 => return Ok(()),
            3 if interpreter.is_some() || dynamic.is_pie => return Ok(()),
            3 => "a shared library",
            1 => "an object file that is not linked yet",
            4 => "a memory dump of a crash",
            _ => "an ELF file of an unknown kind",
        };
        Err(Unfit::NotExecutable { found })
    }

    /// The path of the dynamic linker; `None` in a static executable.
    pub(super) fn interpreter(&self) -> Result<Option<&'a [u8]>, Unfit> {
        let Some(segment) = self.segments.iter().find(|s| s.kind == number::PT_INTERP) else {
            return Ok(None);
        };
        let path = self
            .slice(segment.offset, segment.size)
            .ok_or_else(|| damaged("interpreter"))?;
        Ok(path.split(|byte| *byte == 0).next())
    }

    pub(super) fn dynamic(&self) -> Result<Dynamic, Unfit> {
        let mut dynamic = Dynamic::default();
        let Some(segment) = self.segments.iter().find(|s| s.kind == number::PT_DYNAMIC) else {
            return Ok(dynamic);
        };
        let bytes = self
            .slice(segment.offset, segment.size)
            .ok_or_else(|| damaged("dynamic section"))?;
        for entry in bytes.chunks_exact(16) {
            let (tag, value) = entry.split_at(8);
            let value = little_endian(value);
            match little_endian(tag) {
                number::DT_NULL => break,
                number::DT_STRTAB => dynamic.strings = Some(value),
                number::DT_VERNEED => dynamic.needs = Some(value),
                number::DT_VERNEEDNUM => dynamic.need_count = value,
                number::DT_FLAGS_1 => dynamic.is_pie = value & number::DF_1_PIE != 0,
                _ => {}
            }
        }
        Ok(dynamic)
    }

    /// The newest version among the symbol versions that the dynamic linker requires.
    pub(super) fn newest_glibc(&self, dynamic: &Dynamic) -> Result<Option<Glibc>, Unfit> {
        let mut newest = None;
        for name in self.version_names(dynamic)? {
            let Some(version) = name.strip_prefix("GLIBC_") else {
                continue;
            };
            // Not a version, but a feature of the library, which first came with 2.36.
            if version.starts_with("ABI_") {
                return Err(Unfit::Glibc { found: name });
            }
            newest = newest.max(Glibc::parse(version));
        }
        Ok(newest)
    }

    /// Every `Vernaux` name of every `Verneed` record.
    fn version_names(&self, dynamic: &Dynamic) -> Result<Vec<String>, Unfit> {
        let (Some(needs), Some(strings)) = (dynamic.needs, dynamic.strings) else {
            return Ok(Vec::new());
        };
        let walk = || {
            let (mut need, strings) = (self.offset_of(needs)?, self.offset_of(strings)?);
            let (mut names, mut seen) = (Vec::new(), 0);
            for _ in 0..dynamic.need_count {
                let count = self.u16(need, 2)?;
                let mut version = need.checked_add(u64::from(self.u32(need, 8)?))?;
                for _ in 0..count {
                    seen += 1;
                    if seen > MAX_NAMES {
                        return None;
                    }
                    // A weak requirement may be missing.
                    if self.u16(version, 4)? & number::VER_FLG_WEAK == 0 {
                        let name = strings.checked_add(u64::from(self.u32(version, 8)?))?;
                        names.push(self.text(name)?);
                    }
                    version = version.checked_add(u64::from(self.u32(version, 12)?))?;
                }
                match self.u32(need, 12)? {
                    0 => break,
                    next => need = need.checked_add(u64::from(next))?,
                }
            }
            Some(names)
        };
        walk().ok_or_else(|| damaged("symbol versions"))
    }

    /// The file offset of an address in the running program.
    fn offset_of(&self, address: u64) -> Option<u64> {
        self.segments
            .iter()
            .filter(|segment| segment.kind == number::PT_LOAD)
            .find_map(|segment| {
                let inside = address.checked_sub(segment.address)?;
                (inside < segment.size).then(|| segment.offset.checked_add(inside))?
            })
    }

    fn text(&self, at: u64) -> Option<String> {
        // Version names are a few letters long; a longer string is not one.
        let rest = self.file.get(usize::try_from(at).ok()?..)?;
        let end = rest.iter().take(256).position(|byte| *byte == 0)?;
        Some(String::from_utf8_lossy(&rest[..end]).into_owned())
    }

    fn slice(&self, at: u64, length: u64) -> Option<&'a [u8]> {
        let start = usize::try_from(at).ok()?;
        let end = start.checked_add(usize::try_from(length).ok()?)?;
        self.file.get(start..end)
    }

    /// Reads the number at `field` of the record at `at`.
    fn u16(&self, at: u64, field: u64) -> Option<u16> {
        u16::try_from(little_endian(self.slice(at.checked_add(field)?, 2)?)).ok()
    }

    fn u32(&self, at: u64, field: u64) -> Option<u32> {
        u32::try_from(little_endian(self.slice(at.checked_add(field)?, 4)?)).ok()
    }

    fn u64(&self, at: u64, field: u64) -> Option<u64> {
        Some(little_endian(self.slice(at.checked_add(field)?, 8)?))
    }
}

/// At most eight bytes, least significant first.
fn little_endian(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn damaged(part: &'static str) -> Unfit {
    Unfit::Damaged { part }
}

/// Describes a file that is not an ELF file.
fn guess(file: &[u8]) -> &'static str {
    match file {
        [] => "empty",
        [b'#', b'!', ..] => "a script",
        [b'P', b'K', 3, 4, ..] => "a zip file (`--handlers` takes the executable itself)",
        [b'M', b'Z', ..] => "a Windows executable",
        [0xcf, 0xfa, 0xed, 0xfe, ..] | [0xca, 0xfe, 0xba, 0xbe, ..] => "a macOS executable",
        _ => "no executable",
    }
}
