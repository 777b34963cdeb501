//! Unpacks the tables of [`super::tables`], which `scripts/unicode.mjs` packs.
//!
//! They are unpacked for the first text that is not ASCII. Unpacked they take 100 kB of memory.

use super::columns::{Composed, Mapping};
use super::tables;
use std::sync::OnceLock;

/// The unpacked tables.
pub(super) struct Unicode {
    /// Combining marks.
    pub(super) marks: Spans,
    /// Characters that are invisible.
    pub(super) invisible: Spans,
    /// Characters that variation selectors and joiners turn into other pictures.
    pub(super) pictographs: Spans,
    /// Capital letters to lower case.
    pub(super) lower: Map,
    /// Characters to what they look like.
    pub(super) looks: Map,
    /// The listed decompositions, sorted by character. After them those of lower-case letters, which
    /// are derived from the capitals'.
    composed: [Vec<Parts>; 2],
}

/// A character, its base, and its mark.
type Parts = (char, char, Option<char>);

impl Unicode {
    /// Unpacks the tables at the first call.
    #[inline(never)]
    pub(super) fn get() -> &'static Self {
        static UNICODE: OnceLock<Unicode> = OnceLock::new();
        UNICODE.get_or_init(|| {
            let lower = Map::of(&tables::LOWER);
            Self {
                marks: Spans::of(tables::MARKS),
                invisible: Spans::of(tables::INVISIBLE),
                pictographs: Spans::of(tables::PICTOGRAPHS),
                composed: tables::COMPOSED.unpack(&lower),
                looks: Map::of(&tables::LOOKS),
                lower,
            }
        })
    }

    /// One step of a character's canonical decomposition: a character, and perhaps a mark.
    pub(super) fn decompose(&self, c: char) -> Option<(char, Option<char>)> {
        let [listed, implied] = &self.composed;
        let found = match listed.binary_search_by_key(&c, |parts| parts.0) {
            Ok(place) => listed.get(place),
            // There are some hundred of them, and they are not sorted.
            Err(_) => implied.iter().find(|parts| parts.0 == c),
        };
        found.map(|&(_, base, mark)| (base, mark))
    }

    /// The lower-case form of a capital letter. Other characters are unchanged.
    pub(super) fn to_lower(&self, c: char) -> char {
        if c.is_ascii() {
            return c.to_ascii_lowercase();
        }
        let small = self.lower.get(c).and_then(|mut to| to.next());
        small.unwrap_or(c)
    }
}

/// Numbers with seven bits in each byte, the low bits first. The eighth bit is set in all but the
/// last byte of a number.
struct Numbers(std::slice::Iter<'static, u8>);

impl Numbers {
    fn of(bytes: &'static [u8]) -> Self {
        Self(bytes.iter())
    }

    /// The next number, if numbers can be negative. They are packed as 0, -1, 1, -2 and so on.
    fn signed(&mut self) -> i32 {
        let number = self.next().unwrap_or_default();
        let half = (number >> 1).cast_signed();
        if number & 1 == 0 { half } else { -1 - half }
    }
}

impl Iterator for Numbers {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let (mut number, mut shift) = (0, 0);
        loop {
            let byte = u32::from(*self.0.next()?);
            number |= (byte & 127) << shift;
            if byte < 128 {
                return Some(number);
            }
            shift += 7;
        }
    }
}

/// A set of characters.
pub(super) struct Spans(Vec<u32>);

impl Spans {
    fn of(bytes: &'static [u8]) -> Self {
        let add = |at: &mut u32, gap| {
            *at += gap;
            Some(*at)
        };
        Self(Numbers::of(bytes).scan(0, add).collect())
    }

    #[inline(never)]
    pub(super) fn has(&self, c: char) -> bool {
        self.0.partition_point(|&border| border <= u32::from(c)) % 2 == 1
    }
}

/// A mapping of characters.
pub(super) struct Map {
    runs: Vec<Run>,
    targets: Vec<char>,
}

/// Characters with equal distances, and the target of the first one.
#[derive(Clone, Copy)]
struct Run {
    first: u32,
    last: u32,
    /// The distance between two of the characters.
    step: u32,
    /// Whether their targets have the same distances.
    rises: bool,
    /// The index in `Map::targets`.
    target: usize,
    length: usize,
}

impl Map {
    fn of(packed: &Mapping) -> Self {
        let (mut ascii, mut others) = (packed.ascii.iter(), Numbers::of(packed.others));
        let (mut runs, mut targets) = (Vec::new(), Vec::new());
        let mut at = 0;
        for (gap, kind) in Numbers::of(packed.gaps).zip(Numbers::of(packed.kinds)) {
            let first = at + gap;
            let many = kind >> 2;
            let (step, count, length) = match kind & 3 {
                0 => (1, 1, many.max(1)),
                2 => (2, many, 1),
                _ => (1, many, 1),
            };
            let run = Run {
                first,
                last: first + (count - 1) * step,
                step,
                rises: kind & 3 != 3,
                target: targets.len(),
                length: length as usize,
            };
            for _ in 0..length {
                targets.push(match ascii.next() {
                    Some(&byte) if byte != 0 => char::from(byte),
                    _ => moved(first, others.signed()),
                });
            }
            at = run.last;
            runs.push(run);
        }
        Self { runs, targets }
    }

    /// The target of a character, if the mapping has it.
    pub(super) fn get(&self, c: char) -> Option<impl Iterator<Item = char> + '_> {
        let code = u32::from(c);
        let behind = self.runs.partition_point(|run| run.first <= code);
        let run = self.runs.get(behind.checked_sub(1)?)?;
        let away = code - run.first;
        if code > run.last || away % run.step != 0 {
            return None;
        }
        let by = if run.rises { away.cast_signed() } else { 0 };
        let targets = self.targets.get(run.target..run.target + run.length)?;
        Some(targets.iter().map(move |&c| moved(u32::from(c), by)))
    }
}

impl Composed {
    fn unpack(&self, lower: &Map) -> [Vec<Parts>; 2] {
        let marks: Vec<u32> = Numbers::of(self.list).collect();
        let (mut listed, mut implied) = (Vec::new(), Vec::new());
        let (mut at, mut base) = (0, 0);
        let mut bases = Numbers::of(self.bases);
        for (gap, &mark) in Numbers::of(self.gaps).zip(self.marks) {
            at += gap;
            base += bases.signed();
            let mark = usize::from(mark).checked_sub(1);
            let mark = mark.and_then(|place| marks.get(place)).copied();
            let (whole, base) = (moved(at, 0), moved(0, base));
            let mark = mark.map(|mark| moved(mark, 0));
            listed.push((whole, base, mark));
            // A lower-case letter is packed only if it differs from its capital in more than the
            // base's case.
            let small = lower.get(whole).and_then(|mut to| to.next());
            if let (Some(small), Some(_)) = (small, mark) {
                let base = match lower.get(base).and_then(|mut to| to.next()) {
                    Some(base) => base,
                    None => base.to_ascii_lowercase(),
                };
                implied.push((small, base, mark));
            }
        }
        [listed, implied]
    }
}

#[inline(never)]
fn moved(code: u32, by: i32) -> char {
    let moved = code.checked_add_signed(by).and_then(char::from_u32);
    moved.unwrap_or(char::REPLACEMENT_CHARACTER)
}
