//! Determines which labels look the same to a person, and which typed words mean them.

use super::packed::Unicode;
use super::visible::{is_joiner, is_mongolian_selector, single_line};

/// The appearance of a label, to be compared with others.
///
/// This is close to the skeletons of UTS 39. Joiners, selectors and strokes through letters are
/// ignored, and so is whether an accent is composed. A letter is mapped to the letter of ASCII, or of
/// a related alphabet, that it resembles. The scripts of South and Southeast Asia are not compared
/// with each other, and neither are ideographs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// The label with its own case: `I` looks like `l`.
    exact: Vec<char>,
    /// The label in lower case: `I` is `i`.
    small: Vec<char>,
}

impl Look {
    /// The look of a label.
    #[must_use]
    pub fn of(label: &str) -> Self {
        let mut chars = decomposed(label);
        one_flag_each(&mut chars);
        if mixes_directions(&chars) {
            // The direction of the first part determines the order of the others on the screen. So
            // two labels with the same parts in different orders can look the same.
            chars.retain(|c| !c.is_whitespace());
            insertion_sort(&mut chars, |_| true);
        }
        Self {
            exact: skeleton(&chars, Case::Exact),
            small: skeleton(&chars, Case::Small),
        }
    }

    /// Whether a person may confuse the two, whatever their case.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        is_like(&self.exact, &other.exact) || is_like(&self.small, &other.small)
    }
}

/// The labels of one list, each unlike the others.
#[derive(Default)]
pub struct Looks(Vec<Look>);

impl Looks {
    /// Adds a label. If it looks like an earlier one, it is not added, and that one's index returned.
    pub fn add(&mut self, label: &str) -> Option<usize> {
        let look = Look::of(label);
        let earlier = self.0.iter().position(|earlier| look.is_like(earlier));
        if earlier.is_none() {
            self.0.push(look);
        }
        earlier
    }
}

/// Whether two labels look the same, or differ only in their case.
#[must_use]
pub fn looks_alike(a: &str, b: &str) -> bool {
    Look::of(a).is_like(&Look::of(b))
}

/// Whether a person who types one word means the other. The case of ASCII letters, invisible
/// characters and the composition of accents are ignored. The case of other letters counts.
#[must_use]
pub fn is_same_word(typed: &str, label: &str) -> bool {
    let word = |text: &str| {
        let mut word = decomposed(text);
        word.iter_mut().for_each(char::make_ascii_lowercase);
        sort_marks(&mut word);
        word
    };
    word(typed) == word(label)
}

/// The characters of a label without joiners and selectors. Composed characters are decomposed.
fn decomposed(label: &str) -> Vec<char> {
    let mut parts = Vec::with_capacity(label.len());
    for c in single_line(label).chars() {
        match c {
            '\u{fe0e}' | '\u{fe0f}' => {}
            c if is_joiner(c) || is_mongolian_selector(c) => {}
            c => push_parts(c, &mut parts),
        }
    }
    parts
}

fn push_parts(c: char, parts: &mut Vec<char>) {
    let syllable = u32::from(c).wrapping_sub(0xac00);
    match c {
        _ if c.is_ascii() => parts.push(c),
        // Hangul has 19 first consonants, 21 vowels, and 27 last consonants or none.
        '\u{ac00}'..='\u{d7a3}' => {
            let last = Some(syllable % 28).filter(|&last| last > 0);
            let jamo = [
                Some(0x1100 + syllable / 588),
                Some(0x1161 + syllable % 588 / 28),
                last.map(|last| 0x11a7 + last),
            ];
            parts.extend(jamo.into_iter().flatten().filter_map(char::from_u32));
        }
        _ => match Unicode::get().decompose(c) {
            Some((base, mark)) => {
                push_parts(base, parts);
                if let Some(mark) = mark {
                    push_parts(mark, parts);
                }
            }
            None => parts.push(c),
        },
    }
}

/// Whether the label has letters of both directions.
fn mixes_directions(chars: &[char]) -> bool {
    let is_from_right = |c: char| {
        matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}')
            || matches!(c, '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
    };
    let is_from_left = |c: char| c.is_ascii_alphabetic() || (c > '\u{bf}' && !is_from_right(c));
    chars.iter().any(|&c| is_from_right(c)) && chars.iter().any(|&c| is_from_left(c))
}

/// Regions whose flag is easily confused with another region's, with that region.
const SAME_FLAGS: [(&str, &str); 11] = [
    ("BV", "NO"),
    ("SJ", "NO"),
    ("CP", "FR"),
    ("BL", "FR"),
    ("MF", "FR"),
    ("UM", "US"),
    ("HM", "AU"),
    ("EA", "ES"),
    ("DG", "IO"),
    ("TD", "RO"),
    ("ID", "MC"),
];

fn one_flag_each(chars: &mut [char]) {
    let letter = |c: char| u32::from(c).checked_sub(0x1_f1e6 - u32::from(b'A'));
    let indicator = |letter: u8| char::from_u32(0x1_f1e6 - u32::from(b'A') + u32::from(letter));
    let mut rest = chars;
    while let [first, second, ..] = rest {
        let is_flag = |of: &str| {
            let letters = of.bytes().map(|byte| Some(u32::from(byte)));
            [letter(*first), letter(*second)].into_iter().eq(letters)
        };
        let same = SAME_FLAGS.iter().find(|(region, _)| is_flag(region));
        if let Some([a, b]) = same.map(|(_, other)| other.as_bytes()) {
            *first = indicator(*a).unwrap_or(*first);
            *second = indicator(*b).unwrap_or(*second);
        }
        let is_pair = matches!(*first, '\u{1f1e6}'..='\u{1f1ff}');
        rest = rest
            .get_mut(if is_pair { 2 } else { 1 }..)
            .unwrap_or_default();
    }
}

/// Sorts the marks of each letter, because the order in which they were written does not count.
fn sort_marks(chars: &mut [char]) {
    let is_mark = |c: char| !c.is_ascii() && Unicode::get().marks.has(c);
    // A letter has few marks (`MAX_MARKS`).
    insertion_sort(chars, is_mark);
}

/// Sorts each run of characters for which `is_of_run` holds. The standard library's sort would make
/// the upload larger, and labels are short.
fn insertion_sort(chars: &mut [char], is_of_run: impl Fn(char) -> bool) {
    for end in 1..chars.len() {
        let pairs = (0..end).rev().map(|place| (place, place + 1));
        for (before, after) in pairs {
            match (chars.get(before), chars.get(after)) {
                (Some(&a), Some(&b)) if a > b && is_of_run(a) && is_of_run(b) => {
                    chars.swap(before, after)
                }
                _ => break,
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Case {
    Exact,
    Small,
}

/// Maps characters that look the same to the same characters.
fn skeleton(chars: &[char], case: Case) -> Vec<char> {
    let cased = |c: char| match case {
        Case::Exact => c,
        Case::Small if c.is_ascii() => c.to_ascii_lowercase(),
        Case::Small => Unicode::get().to_lower(c),
    };
    let mut skeleton = Vec::with_capacity(chars.len());
    let mut last = '\0';
    for &c in chars {
        let is_struck =
            |last| matches!(last, '<'..='>' | '\u{2190}'..='\u{22ff}' | '\u{2a00}'..='\u{2aff}');
        // A stroke turns these into another sign: `=` becomes `≠`.
        let is_part = c == '\u{338}' && is_struck(last);
        if !is_part && is_slight(c) {
            continue;
        }
        last = c;
        let c = match cased(c) {
            // Strokes that look like the ideograph for one, and Katakana that look like Hiragana.
            '\u{30fc}' | '\u{2014}' | '\u{2015}' | '\u{1173}' | '\u{3161}' => '\u{4e00}',
            '\u{30ea}' => '\u{308a}',
            '\u{30d8}' => '\u{3078}',
            c => c,
        };
        let looks = if c.is_ascii() {
            None
        } else {
            Unicode::get().looks.get(c)
        };
        match looks {
            Some(looks) => looks.for_each(|c| push_look(cased(c), case, &mut skeleton)),
            None => push_look(c, case, &mut skeleton),
        }
    }
    sort_marks(&mut skeleton);
    skeleton
}

/// Maps ASCII characters as confusables.txt does.
fn push_look(c: char, case: Case, skeleton: &mut Vec<char>) {
    match c {
        '1' | '|' => skeleton.push('l'),
        // With `Case::Small` there is no `I` here: it is already `i`.
        'I' => skeleton.push('l'),
        '0' if case == Case::Exact => skeleton.push('O'),
        '0' => skeleton.push('o'),
        'm' => skeleton.extend(['r', 'n']),
        '`' => skeleton.push('\''),
        '"' => skeleton.extend(['\'', '\'']),
        // Private use and unassigned planes. Fonts show the same box for all of them.
        '\u{e000}'..='\u{f8ff}' | '\u{40000}'..='\u{dffff}' | '\u{f0000}'.. => {
            skeleton.push(char::REPLACEMENT_CHARACTER);
        }
        c => skeleton.push(c),
    }
}

/// Whether many fonts hardly show the mark: a stroke through a letter or a frame around it, which can
/// lie on a stroke of the letter; a sign around a number; a joiner that stacks consonants.
fn is_slight(c: char) -> bool {
    matches!(c,
        '\u{334}'..='\u{338}' | '\u{488}' | '\u{489}' | '\u{1abe}' | '\u{20d2}' | '\u{20d3}'
        | '\u{20d8}'..='\u{20da}' | '\u{20dd}'..='\u{20e0}' | '\u{20e2}'..='\u{20e6}'
        | '\u{20ea}' | '\u{20eb}'
        | '\u{a670}'..='\u{a672}'
        | '\u{600}'..='\u{605}' | '\u{6dd}' | '\u{70f}' | '\u{890}' | '\u{891}' | '\u{8e2}'
        | '\u{110bd}' | '\u{110cd}'
        | '\u{1039}' | '\u{17d2}' | '\u{1a60}' | '\u{1bab}' | '\u{2d7f}' | '\u{aaf6}'
        | '\u{10a3f}' | '\u{11133}'
        | '\u{113d0}' | '\u{1193e}' | '\u{11a47}' | '\u{11a99}' | '\u{11d45}' | '\u{11d97}'
        | '\u{11f42}')
}

/// Whether two skeletons are the same. A compatibility ideograph or a radical equals any ideograph:
/// people do not type them, and a table of them would add 2 kB.
fn is_like(a: &[char], b: &[char]) -> bool {
    let is_copy = |c| {
        matches!(c, '\u{2e80}'..='\u{2fdf}' | '\u{f900}'..='\u{faff}')
            || matches!(c, '\u{2f800}'..='\u{2fa1f}')
    };
    let is_ideograph =
        |c| is_copy(c) || matches!(c, '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}');
    let same = |(&a, &b): (&char, &char)| {
        a == b || (is_copy(a) && is_ideograph(b)) || (is_ideograph(a) && is_copy(b))
    };
    a.len() == b.len() && a.iter().zip(b).all(same)
}
